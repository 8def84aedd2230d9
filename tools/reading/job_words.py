"""What the words of a job posting say: the function of its title, whether it is a key title, the technologies it names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_FUNCTIONS: Final = (
    (
        "IT",
        r"(?-i:IT)|it (support|manager|administrator|specialist|operations)|systems? administrator|sysadmin|"
        r"system admin|network administrator|desktop support|salesforce administrator|erp|business systems|"
        r"database administrator",
    ),
    (
        "Support",
        r"(customer|technical|product|client|help) ?(support|desk|care)|"
        r"support (engineer|specialist|agent|lead|manager|analyst|representative)|customer service|"
        r"service desk",
    ),
    (
        "Customer Success",
        r"customer (success|experience|onboarding)|client (success|partner|services)|implementation|"
        r"onboarding (manager|specialist)|technical account manager|kundenerfolg",
    ),
    (
        "People",
        r"recruit\w*|talent|people|human resources|hr|hrbp|workplace experience|learning (and|&) development|"
        r"compensation|personal(wesen|referent\w*)",
    ),
    (
        "Legal",
        r"legal|counsel|attorney|lawyer|paralegal|compliance|privacy officer|regulatory|jurist\w*|"
        r"general counsel",
    ),
    (
        "Finance",
        r"financ\w*|account(ant|ing|s payable|s receivable)|controll(er|ing)|treasur\w*|tax|fp&a|payroll|"
        r"audit\w*|billing|cfo|buchhalt\w*|procure to pay|deal desk",
    ),
    (
        "Marketing",
        r"marketing|marketer|brand|(demand|lead) generation|communications?|public relations|pr manager|seo|"
        r"content (strategist|writer|marketer|lead|manager)|copywriter|events? manager|social media|"
        r"developer relations|developer advocate|cmo|community manager",
    ),
    (
        "Sales",
        r"sales(?!force)\w*|account (executive|manager|director|development)|business development|\w*sdr|bdr|ae|"
        r"presales|pre-sales|solutions? (engineer|consultant)|partnerships?|"
        r"partner (manager|development|success|director)|channel|revenue|cro|gtm|go-to-market|vertrieb\w*|"
        r"alliances?",
    ),
    ("Security", r"(\w*security|cyber\w*|ciso|penetration|threat|appsec|infosec|red team|soc analyst)"),
    (
        "Design",
        r"designer|ux|ui|user research\w*|creative director|art director|illustrator|"
        r"design (lead|manager|director|system|systems|ops)|(head|director|vp) of design|produktdesign\w*",
    ),
    (
        "Research",
        r"research (scientist|engineer|fellow|lead|intern|associate|director|assistant|manager)|"
        r"(applied|staff|senior|lead|principal) scientist|head of research|vp of research|"
        r"director of research|postdoc\w*|researcher",
    ),
    (
        "Data",
        r"data|analytics|machine learning|ml engineer|mlops|business intelligence|"
        r"bi (developer|engineer|analyst)|statistician|insights analyst|ai engineer",
    ),
    (
        "Product",
        r"product (manager|management|owner|lead|director|operations|ops|analyst|strategy|specialist|leader)|"
        r"(head|director|vp|chief|vice president|svp|manager)( officer)?(,| of)? product|"
        r"chief product officer|cpo|group product manager|produktmanage\w*|technical program manager",
    ),
    (
        "Engineering",
        r"engineer\w*|developer|software|devops|sre|site reliability|architect|programmer|qa|"
        r"quality assurance|tester|full[- ]?stack|front[- ]?end|back[- ]?end|cto|technical lead|tech lead|"
        r"entwickler\w*|ingenieur\w*|infrastructure|platform|mobile|hardware|firmware|embedded|android|ios|"
        r"technology",
    ),
    (
        "Operations",
        r"operations?|logistics|supply chain|warehouse|facilities|facility|procurement|purchasing|"
        r"office manager|executive assistant|administrative|assistant|chief of staff|coo|program manager|"
        r"project manager|business analyst|planner|technician|manufacturing|fulfil\w*|driver|receptionist|"
        r"strategy|biz ?ops",
    ),
    ("Research", r"research|science|scientist"),
    ("Design", r"design|creative"),
    ("Marketing", r"growth|content|campaigns?|editor"),
    ("Product", r"products?"),
    ("Support", r"support"),
    ("Customer Success", r"customers?|client|success"),
)  # fmt: skip
"""The first function with a word in the title. What a name means more exactly comes first: a sales engineer sells."""
_RULES: Final = tuple((name, re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)) for name, words in _FUNCTIONS)
_BREAK = re.compile(r"\s+[-–—|:@]\s+|[,(/|]")

_KEY = re.compile(
    r"\b(?:head|director|[se]?vp|avp|vice[- ]president|president|chief|founding|founder|principal|general manager|"
    r"managing|general counsel|ceo|cto|cfo|cio|ciso|coo|cro|cmo|cpo|cdo|caio|"
    r"lead(?! (?:gen|qualif|nurtur|manage|research|develop|processing))|leiter(?:in)?)\b",
    re.IGNORECASE,
)
_NO_KEY = re.compile(r"\bassistant\b|\bassistenz\b|\bto the (?:ceo|cto|cfo|coo|chief|founder|head)\b", re.IGNORECASE)


def function_of(title: str, department: str = "") -> str:
    """The function that a job belongs to, by the head of its title, then the whole title, then the department."""
    plain = " ".join(title.split())
    for text in (_BREAK.split(plain, 1)[0], plain, " ".join(department.split())):
        for name, rule in _RULES:
            if rule.search(text):
                return name
    return "Other"


def is_key_title(title: str) -> bool:
    """Whether a title is one that decides, leads or starts something."""
    return _KEY.search(title) is not None and _NO_KEY.search(title) is None


# Spellings of one technology are parted by `|`, the first is its name. `=` before a spelling: a common word too, so its case
# must be right and it must not merely begin a sentence. `!`: so common a word that it must also stand in a list or the like.
_TABLE: Final = {
    "language": (
        "Python", "JavaScript", "TypeScript", "Java", "Kotlin", "Scala", "!Go|Golang", "=Rust", "=Swift", "=Ruby",
        "PHP", "C++", "C#", ".NET|.NET Core|ASP.NET|dotnet", "!R|RStudio", "SQL", "Perl", "Elixir", "Erlang",
        "Haskell", "Clojure", "Objective-C", "MATLAB", "=Solidity", "=Julia", "=Dart", "COBOL", "GraphQL", "=Bash",
    ),
    "database": (
        "PostgreSQL|Postgres", "MySQL", "MariaDB", "SQL Server|Microsoft SQL Server|MSSQL", "=Oracle|Oracle Database",
        "MongoDB", "Redis", "=Cassandra", "DynamoDB", "CockroachDB", "Couchbase", "Neo4j", "Elasticsearch",
        "OpenSearch", "ScyllaDB", "InfluxDB", "TimescaleDB", "Firestore", "Supabase", "pgvector", "=Pinecone",
        "Aurora PostgreSQL", "Cloud Spanner", "SQLite", "Memcached",
    ),
    "data warehouse": (
        "=Snowflake", "BigQuery", "Redshift|Amazon Redshift", "Databricks", "ClickHouse", "Teradata",
        "Azure Synapse|Synapse Analytics", "Apache Iceberg|=Iceberg", "Delta Lake", "Apache Hive", "Trino", "=Presto",
        "DuckDB", "=Vertica", "Microsoft Fabric", "Apache Hudi", "Amazon Athena|=Athena", "Hadoop",
    ),
    "orchestration": (
        "=Airflow|Apache Airflow", "dbt|dbt Cloud", "Dagster", "=Prefect", "=Luigi", "Fivetran", "Airbyte", "=Stitch",
        "Informatica", "Talend", "Matillion", "=Temporal|Temporal.io", "AWS Glue", "Azure Data Factory", "MuleSoft",
        "Workato", "Zapier", "=Hightouch", "!Census", "Argo Workflows", "n8n", "Boomi",
    ),
    "streaming": (
        "Kafka|Apache Kafka", "Flink|Apache Flink", "=Spark|Apache Spark|PySpark|Spark Streaming",
        "Kinesis|Amazon Kinesis", "Pub/Sub|PubSub", "RabbitMQ", "Apache Pulsar", "Apache Beam", "Debezium",
        "Kafka Connect", "=Confluent", "Redpanda", "Amazon SQS", "=Dataflow",
    ),
    "BI": (
        "Tableau", "Looker|Looker Studio", "Power BI|PowerBI", "Metabase", "=Superset|Apache Superset", "ThoughtSpot",
        "=Sigma Computing", "Qlik|Qlik Sense|QlikView", "Sisense", "!Mode", "!Hex", "Microsoft Excel|!Excel", "=Domo",
        "MicroStrategy", "=Amplitude", "Mixpanel", "Google Analytics|GA4", "Alteryx",
    ),
    "observability": (
        "Datadog", "New Relic", "Grafana", "Prometheus", "Splunk", "Dynatrace", "=Sentry", "OpenTelemetry",
        "Elastic Stack|=ELK", "PagerDuty", "Honeycomb.io|=Honeycomb", "CloudWatch", "Kibana", "Logstash",
        "AppDynamics", "=Jaeger", "Sumo Logic", "Monte Carlo", "Opsgenie", "Chronosphere",
    ),
    "cloud": (
        "AWS|Amazon Web Services", "Google Cloud|GCP|Google Cloud Platform", "=Azure|Microsoft Azure", "Heroku",
        "Vercel", "Netlify", "DigitalOcean", "Cloudflare", "Fastly", "OpenStack", "Oracle Cloud|=OCI", "IBM Cloud",
        "Firebase", "AWS Lambda", "Amazon S3", "Hetzner", "=Akamai",
    ),
    "infrastructure": (
        "Kubernetes|K8s", "Docker", "Terraform", "Pulumi", "Ansible", "!Chef", "!Puppet", "=Helm", "Istio", "VMware",
        "OpenShift", "Linux", "=Nomad", "=Envoy", "NGINX", "CloudFormation", "=Consul", "Crossplane", "Amazon EKS|=EKS",
        "=GKE", "Karpenter",
    ),
    "CI/CD": (
        "GitHub Actions", "GitLab|GitLab CI", "Jenkins", "CircleCI", "ArgoCD|Argo CD", "Azure DevOps", "TeamCity",
        "Bitbucket", "Buildkite", "=Spinnaker", "Bazel", "GitHub", "Octopus Deploy", "Harness.io", "LaunchDarkly",
    ),
    "CRM": (
        "Salesforce|SFDC|Salesforce.com", "HubSpot", "Microsoft Dynamics|Dynamics 365", "Pipedrive", "Zoho",
        "Zendesk", "=Intercom", "=Gong", "Salesloft", "!Outreach|Outreach.io", "Gainsight", "Freshdesk", "ZoomInfo",
        "Clari", "ServiceNow", "SugarCRM", "=Apollo.io", "6sense", "NetSuite", "=SAP", "=Workday",
    ),
    "marketing automation": (
        "Marketo", "Pardot", "=Braze", "=Iterable", "Klaviyo", "Mailchimp", "Eloqua", "!Segment|Twilio Segment",
        "Customer.io", "RudderStack", "Adobe Experience Cloud", "Google Ads", "Google Tag Manager", "Optimizely",
        "Salesforce Marketing Cloud", "Demandbase", "ActiveCampaign", "Semrush",
    ),
    "security": (
        "Okta", "CrowdStrike", "SentinelOne", "HashiCorp Vault", "Snyk", "=Wiz", "Palo Alto Networks", "Auth0",
        "Zscaler", "Rapid7", "Qualys", "=Tenable", "Microsoft Sentinel", "Burp Suite", "SonarQube", "Vanta", "Drata",
        "Entra ID|Azure AD|Active Directory", "1Password", "Keycloak",
    ),
    "ML": (
        "PyTorch", "TensorFlow", "scikit-learn|sklearn", "MLflow", "SageMaker", "Vertex AI", "Kubeflow",
        "Hugging Face|HuggingFace", "LangChain", "LangGraph", "XGBoost", "Keras", "=JAX", "OpenAI",
        "Amazon Bedrock|AWS Bedrock", "Azure OpenAI", "CUDA", "Pandas", "NumPy", "Weights & Biases",
        "Triton Inference Server", "vLLM", "LlamaIndex", "Claude Code", "ChatGPT",
    ),
    "frontend": (
        "=React|React.js|ReactJS", "React Native", "Angular|AngularJS", "Vue.js|=Vue|VueJS", "Next.js|NextJS",
        "=Svelte|SvelteKit", "Node.js|NodeJS", "Django", "Ruby on Rails|=Rails", "Spring Boot", "=Flask", "FastAPI",
        "Laravel", "Tailwind|Tailwind CSS", "=Storybook", "Redux", "=Flutter", "Webpack", "WordPress", "Shopify",
        "NestJS", "Remix.run",
    ),
    "collaboration": (
        "=Slack", "Jira", "=Confluence", "=Notion", "Asana", "Trello", "Monday.com", "Figma", "Miro",
        "Microsoft Teams", "Google Workspace|G Suite", "Office 365|Microsoft 365", "!Linear", "!Zoom", "SharePoint",
        "Airtable", "ClickUp", "Smartsheet", "Greenhouse.io", "DocuSign",
    ),
}  # fmt: skip


def _spellings() -> Iterator[tuple[str, str, str, str]]:
    """Each spelling with its mark, and the name and the category of what it means."""
    for category, entries in _TABLE.items():
        for entry in entries:
            spelt = entry.split("|")
            name = spelt[0].lstrip("=!")
            for one in spelt:
                yield one.lstrip("=!"), one[0] if one[0] in "=!" else "", name, category


_MEANT: Final = {
    spelling.casefold(): (spelling, mark, name, category) for spelling, mark, name, category in _spellings()
}
_WORD: Final = re.compile(r"(?<![\w@#-])(?<!\w\.)\.?\w+")


def _by_first_word() -> dict[str, re.Pattern[str]]:
    """For each word with which spellings begin, the pattern of those spellings: the longest first."""
    groups: dict[str, list[str]] = {}
    for spelling in sorted(_MEANT, key=len, reverse=True):
        first = _WORD.match(spelling)
        groups.setdefault(first[0] if first else spelling, []).append(re.escape(spelling))
    tail = r"(?![\w+#]|\.(?:com|io|org|net|ai|co|dev)\b)"
    return {first: re.compile(f"(?:{'|'.join(group)}){tail}", re.IGNORECASE) for first, group in groups.items()}


_STARTS: Final = _by_first_word()
_LINK = re.compile(r"\b(?:https?://|www\.)\S+|(?<![\w.+-])[\w.+-]{1,64}@\S+", re.IGNORECASE)
_BEGINS = re.compile(r"(?:^|[.!?:;•*\n]|\n\s*[-–])\s*$")
_LISTED_BEFORE = re.compile(
    r"(?:[,/(|;:•+&\n-]|^|\b(?:and|or|in|with|using|use|as|like|know|of|to|plus|write|from))\s*$", re.IGNORECASE
)
_LISTED_AFTER = re.compile(
    r"\s*(?:[,/);:|•+\n]|[.](?!\w)|$|(?:and|or)\b|(?:programming|developers?|engineers?|code|codebase|services|microservices|backend|"
    r"languages?|experience|skills|programs|for|on|is|dashboards?|workflows?)\b)"
)  # fmt: skip
_MORE = re.compile(r"\s*\(|\s*[,/|](?! *[a-z]{2,} +[a-z])|\s+(?:and|or) +[A-Z]")
_SKILL = re.compile(
    r"\s+(?:experience|expertise|skills|knowledge|programming|developers?|engineers?|administrators?|clusters?)\b"
)


def technologies_in(text: str) -> list[tuple[str, str]]:
    """Name and category of each technology that a text names, in the order of their first mention."""
    plain = _LINK.sub(" ", text)
    found: dict[str, str] = {}
    end = 0
    for word in _WORD.finditer(plain):
        spellings = _STARTS.get(word[0].casefold())
        hit = spellings.match(plain, word.start()) if spellings is not None and word.start() >= end else None
        if hit is None:
            continue
        end = hit.end()
        spelling, mark, name, category = _MEANT[hit[0].casefold()]
        if name not in found and (not mark or (hit[0] == spelling and _is_meant(plain, hit.start(), end, mark))):
            found[name] = category
    return list(found.items())


def _is_meant(text: str, start: int, end: int, mark: str) -> bool:
    """Whether a word that is also a common one stands where a technology would stand."""
    before, after = text[max(start - 12, 0) : start], text[end : end + 24]
    if start > 12 and not before.strip(" "):
        before = f".{before}"
    if after[:1] in ("'", "&", "’") or (after[:1] == "-" and (mark == "!" or before.endswith("."))):
        return False
    if _BEGINS.search(before) and not (_MORE.match(after) or _SKILL.match(after) or after[:1] in ("", "\n", ".")):
        return False
    return mark == "=" or bool(_LISTED_BEFORE.search(before) and _LISTED_AFTER.match(after))
