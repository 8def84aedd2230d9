"""Made-up search results about whatever company a query names: the same query on the same day, the same words."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

Json = dict[str, Any]

CUES: dict[str, tuple[str, ...]] = {
    "leadership": ("leadership", "ceo", "cfo", "cto", "executive", "officer", "appoints", "decision maker", "names"),
    "news": ("news", "announces", "announced", "recent", "when:", "latest"),
    "hiring": ("hiring", "jobs", "roles", "careers", "greenhouse", "lever.co", "recruiting"),
    "technology": ("tech stack", "engineering", "architecture", "tools", "technology", "stack"),
    "funding": ("funding", "raised", "investors", "acquisition", "subsidiaries", "round", "acquires"),
    "products": ("products", "pricing", "platform", "product"),
    "customers": ("customers", "case study", "partners"),
    "competitors": ("competitors", "alternatives", "rivals", " vs "),
    "strategy": ("strategy", "priorities", "challenges", "risk", "outlook"),
    "financials": ("revenue", "results", "income", "growth", "earnings", "annual"),
    "profile": ("headquarters", "founded", "employees", "company", "overview"),
    "vendor": ("offering", "ideal customers", "why choose", "differentiators"),
}
"""Words of a query -> the kind of page that Google would bring."""

_PEOPLE = (
    "Maria Okafor",
    "Daniel Reyes",
    "Ingrid Solberg",
    "Wei Zhang",
    "Priya Raman",
    "Thomas Adler",
    "Lucia Bianchi",
)
_CITIES = ("Austin, Texas", "Denver, Colorado", "Boston, Massachusetts", "Seattle, Washington", "Toronto, Ontario")
_NOT_A_NAME = {"Research", "The", "What", "Who", "Find", "Tell", "Company", "How", "About", "Is", "CEO", "CFO", "CTO"}

# (publisher, days ago, title, snippet); {c} company, {p0}..{p3} people, {n} a number from 12 to 91, {d} the day itself.
_PAGES: dict[str, tuple[tuple[str, int, str, str], ...]] = {
    "leadership": (
        ("businesswire.example", 41, "{c} appoints {p0} as Chief Financial Officer",
         "{c} appointed {p0} as Chief Financial Officer on {d}. {p0} reports to chief executive {p1}."),
        ("{s}.example", 120, "Leadership team - {c}",
         "{p1} is Chief Executive Officer of {c}. {p2} is Chief Technology Officer of {c}."),
        ("techledger.example", 75, "{c} names a new data chief",
         "{c} named {p3} as Chief Data Officer on {d}, a new position."),
    ),
    "news": (
        ("wiredaily.example", 3, "{c} announces partnership with Northwind",
         "{c} announced a partnership with Northwind Traders on {d}."),
        ("marketbeat.example", 9, "{c} opens a new office in {city}", "{c} opened an office in {city} on {d}."),
        ("techledger.example", 15, "{c} launches an assistant for analysts",
         "{c} launched {c} Assist, a tool for analysts, on {d}."),
        ("businesswire.example", 22, "{c} acquires Tidewater Labs",
         "{c} acquired Tidewater Labs on {d} for ${n} million."),
    ),
    "hiring": (
        ("boards.example", 5, "{c} jobs and open roles",
         "{c} has {n} open roles, {h} of them in engineering, as of {d}."),
        ("techledger.example", 18, "{c} is hiring data engineers",
         "{c} is hiring a Senior Data Engineer and a Director of Analytics, it said on {d}."),
    ),
    "technology": (
        ("{s}.example", 60, "Inside the data platform - {c} engineering blog",
         "{c} runs its services on Kubernetes and writes most of them in Go and Python."),
        ("stackwatch.example", 33, "The tech stack of {c}",
         "{c} uses Apache Kafka for events and Terraform for its infrastructure, engineers said on {d}."),
    ),
    "funding": (
        ("venturenote.example", 200, "{c} raises ${n} million in Series D",
         "{c} raised ${n} million in a Series D round led by Harbor Point Capital on {d}."),
        ("businesswire.example", 260, "{c} buys Lanternfish", "{c} acquired Lanternfish, now a subsidiary, on {d}."),
    ),
    "products": (
        ("{s}.example", 45, "Products - {c}", "{c} sells {c} Cloud, {c} Observe and {c} Connect. Pricing is by usage."),
        ("softreview.example", 30, "{c} Cloud review", "{c} Cloud is priced per credit, {c} said on {d}."),
    ),
    "customers": (
        ("{s}.example", 90, "Customer stories - {c}",
         "Globex and Initech are customers of {c}. Globex cut costs by {n}% with {c}."),
        ("partnerpost.example", 50, "{c} and Contoso become partners", "Contoso became a partner of {c} on {d}."),
    ),
    "competitors": (
        ("softreview.example", 28, "Top alternatives to {c}", "{c} competes with Fabrikam, Initrode and Hooli."),
        ("marketbeat.example", 55, "{c} against Fabrikam",
         "{c} positions itself as the simpler choice, while Fabrikam is cheaper, a report of {d} says."),
    ),
    "strategy": (
        ("marketbeat.example", 38, "What {c} wants next",
         "{c} said on {d} that its priority for the year is to help customers govern their data."),
        ("filings.example", 150, "{c} annual report: risk factors",
         "{c} names data quality and rising cloud costs among its challenges in the report of {d}."),
    ),
    "financials": (
        ("filings.example", 62, "{c} reports annual results",
         "{c} reported revenue of ${n}0 million for the fiscal year, up {h}% from the year before, on {d}."),
        ("marketbeat.example", 61, "{c} results: operating income",
         "{c} had operating income of ${h} million and cash of ${n}5 million at the end of the year."),
    ),
    "profile": (
        ("{s}.example", 100, "About {c}",
         "{c} is a software company with headquarters in {city}. {c} was founded in {y}."),
        ("companyfacts.example", 80, "{c} company profile", "{c} had {n}00 employees on {d}."),
    ),
    "vendor": (
        ("{s}.example", 70, "Why {c}", "{c} offers data monitoring for teams that run more than {n} pipelines."),
    ),
}  # fmt: skip


def company_in(query: str) -> str:
    """The company a query names: the quoted phrase, the capitalised words, or the domain."""
    if quoted := re.search(r'"([^"]+)"', query):
        return quoted[1]
    if site := re.search(r"site:(?:www\.)?([\w-]+)\.", query):
        return site[1].capitalize()
    words = re.findall(r"[A-Z][\w.&-]*", query)
    kept = [w for w in words if w not in _NOT_A_NAME]
    return " ".join(kept[:3]) or "Acme"


def dataset_in(query: str) -> str:
    """The kind of knowledge that the words of a query ask for."""
    low = query.casefold()
    return max(CUES, key=lambda name: sum(cue in low for cue in CUES[name]) - 0.01 * list(CUES).index(name))


def pages(company: str, dataset: str, today: date) -> list[Json]:
    """Results as plain rows: title, snippet, link, source, day."""
    seed = int(hashlib.sha256(company.casefold().encode()).hexdigest(), 16)
    slug = re.sub(r"[^a-z0-9]+", "-", company.casefold()).strip("-") or "company"
    words = {f"p{i}": _PEOPLE[(seed + i) % len(_PEOPLE)] for i in range(4)}
    words |= {"c": company, "s": slug, "n": str(12 + seed % 80), "h": str(6 + seed % 40), "y": str(1990 + seed % 30)}
    words["city"] = _CITIES[seed % len(_CITIES)]
    found = []
    for number, (host, ago, title, snippet) in enumerate(_PAGES[dataset], 1):
        day = today - timedelta(days=ago)
        words["d"] = shown(day)
        host = host.format_map(words)
        found.append(
            {
                "title": title.format_map(words),
                "snippet": snippet.format_map(words),
                "link": f"https://www.{host}/{slug}/{dataset}-{number}",
                "source": host.split(".")[0].capitalize(),
                "day": day,
                "ago": ago,
            }
        )
    return found


def shown(day: date) -> str:
    """A day as American pages write it."""
    return f"{day:%B} {day.day}, {day.year}"


def google(query: str, now: datetime) -> Json:
    """A reply of the `google` engine."""
    company, dataset = company_in(query), dataset_in(query)
    rows = pages(company, dataset, now.date())
    if dataset != "profile":
        rows = [*rows, pages(company, "profile", now.date())[0]]
    organic = [
        {
            "position": position,
            "title": row["title"],
            "link": f"{row['link']}?utm_source=search",
            "displayed_link": row["link"].removeprefix("https://").replace("/", " › "),
            "snippet": row["snippet"],
            # Google says "3 days ago" for the past week and a date for what is older.
            "date": f"{row['ago']} days ago"
            if 1 < row["ago"] < 7
            else f"{row['day']:%b} {row['day'].day}, {row['day'].year}",
            "source": row["source"],
        }
        for position, row in enumerate(rows, 1)
    ]
    reply: Json = {
        "search_information": {"organic_results_state": "Results for exact spelling", "query_displayed": query}
    }
    if dataset == "profile":
        reply["knowledge_graph"] = _panel(company, now.date())
    return {**reply, "organic_results": organic}


def _panel(company: str, today: date) -> Json:
    about = pages(company, "profile", today)[0]
    city = about["snippet"].split("headquarters in ")[1].split(". ")[0]
    people = pages(company, "leadership", today)[1]["snippet"]
    return {
        "title": company,
        "type": "Software company",
        "description": f"{company} is a software company that helps firms understand their data.",
        "source": {"name": "Wikipedia", "link": f"https://en.wikipedia.org/wiki/{company.replace(' ', '_')}"},
        "headquarters": city,
        "founded": about["snippet"].rstrip(".").rsplit(" ", 1)[1],
        "ceo": people.split(" is Chief")[0],
        "headquarters_links": [{"text": city, "link": "https://www.google.com/search?q=city"}],
    }


def google_news(query: str, now: datetime) -> Json:
    """A reply of the `google_news` engine: single headlines, and a cluster with a highlight and its stories."""
    company = company_in(query)
    dataset = dataset_in(query)
    rows = pages(
        company, dataset if dataset in ("leadership", "funding", "financials", "strategy") else "news", now.date()
    )
    items = [_headline(row) for row in rows]
    copy = {**items[0], "source": {"name": "Syndicate"}, "link": "https://www.syndicate.example/copy", "position": 1}
    cluster: Json = {"position": 1, "highlight": items[0], "stories": [copy]}
    singles = [{"position": position, **item} for position, item in enumerate(items[1:], 2)]
    return {"title": company, "news_results": [cluster, *singles]}


def _headline(row: Json) -> Json:
    moment = datetime.combine(row["day"], time(9, 30), UTC)
    return {
        "title": f"{row['title']}: {row['snippet']}",
        "source": {"name": row["source"], "icon": "https://news.example/icon.png"},
        "link": row["link"],
        "date": f"{moment:%m/%d/%Y, %I:%M %p}, +0000 UTC",
        "iso_date": moment.isoformat().replace("+00:00", "Z"),
    }


_JOBS = (
    ("Senior Data Engineer", "3 days ago", "LinkedIn", "You will run Airflow and Snowflake, and write Python and SQL."),
    ("Director of Analytics", "1 day ago", "Indeed", "You will lead the team that owns our dashboards in Tableau."),
    ("Site Reliability Engineer", "2 weeks ago", "boards.example", "We run Kubernetes on Google Cloud."),
    ("Account Executive", None, "LinkedIn", "You will sell to banks. Questions? Write to jobs@hiring.example."),
)


def google_jobs(query: str, now: datetime) -> Json:
    """A reply of the `google_jobs` engine: postings of the company, and one of somebody with a similar name."""
    company = company_in(query)
    seed = int(hashlib.sha256(company.casefold().encode()).hexdigest(), 16)
    jobs = [
        _job(title, f"{company}, Inc.", _CITIES[(seed + number) % len(_CITIES)], posted, via, text)
        for number, (title, posted, via, text) in enumerate(_JOBS)
    ]
    jobs.append(_job("Warehouse Helper", f"{company} Staffing Partners", _CITIES[0], "1 day ago", "Indeed", "Lift."))
    return {
        "filters": [
            {"name": "Date posted", "options": [{"name": "Yesterday", "uds": "AbC", "q": f"{query} yesterday"}]}
        ],
        "jobs_results": jobs,
        "serpapi_pagination": {"next_page_token": "token"},
    }


def _job(title: str, company: str, city: str, posted: str | None, via: str, text: str) -> Json:
    slug = re.sub(r"[^a-z0-9]+", "-", f"{title} {company}".casefold()).strip("-")
    detected = {"posted_at": posted, "schedule_type": "Full-time"} if posted else {"schedule_type": "Full-time"}
    return {
        "title": title,
        "company_name": company,
        "location": city,
        "via": via,
        "share_link": f"https://www.google.com/search?ibp=htl;jobs&q={slug}&htidocid={slug}#fpstate=tldetail",
        "description": f"{company} is looking for a colleague.\n\n{text}",
        "job_highlights": [{"title": "Qualifications", "items": ["Three years of experience"]}],
        "extensions": [*([posted] if posted else []), "Full-time"],
        "detected_extensions": detected,
        "apply_options": [{"title": via, "link": f"https://www.boards.example/{slug}?utm_source=google_jobs_apply"}],
        "job_id": slug,
    }


def google_finance(query: str, now: datetime) -> Json:
    """A reply of the `google_finance` engine: the company has the ticker's letters for a name."""
    symbol, _, exchange = query.partition(":")
    company = symbol.title() if exchange else company_in(query)
    exchange = exchange or "NYSE"
    seed = int(hashlib.sha256(company.casefold().encode()).hexdigest(), 16)
    day = now.date() - timedelta(days=1)
    ends = (day.replace(day=1) - timedelta(days=32)).replace(day=1)
    boss = _PEOPLE[seed % len(_PEOPLE)]
    facts = {
        "CEO": boss,
        "Founded": "Sep 1, 1996",
        "Headquarters": "Austin, Texas\nUnited States",
        "Employees": "9,120",
    }
    info = [{"label": label, "value": value} for label, value in facts.items()]
    website = {"label": "Website", "value": "acme.example", "link": "http://www.acme.example/"}
    return {
        "markets": {"us": [{"stock": ".DJI:INDEXDJX", "name": "Dow Jones", "price": 44_000.5}]},
        "summary": {
            "title": f"{company} Inc",
            "stock": symbol if exchange else company.upper()[:4],
            "exchange": exchange,
            "price": "$12.30",
            "extracted_price": 12.3,
            "currency": "$",
            "price_movement": {"percentage": 0.4, "value": 0.05, "movement": "Up"},
            "extensions": [f"Closed: {day:%b} {day.day}, 4:00:00 PM GMT-4", "USD", exchange],
        },
        "graph": [{"price": 12.3, "currency": "USD", "date": f"{day:%b %d %Y}, 04:00 PM UTC-04:00"}],
        "knowledge_graph": {
            "key_stats": {
                "tags": [{"text": "Stock"}, {"text": "US listed security"}, {"text": "US headquartered"}],
                "stats": [{"label": "Market cap", "description": "Price by shares.", "value": "4.31B USD"}],
            },
            "about": [
                {
                    "title": "About",
                    "description": {
                        "snippet": f"{company} Inc. is an American maker of measuring devices.\nIt has offices.",
                        "link": f"https://en.wikipedia.org/wiki/{company}",
                        "link_text": "Wikipedia",
                    },
                    "info": [*info, website],
                }
            ],
        },
        "news_results": [
            {
                "snippet": f"{company} opens an office in Denver",
                "link": "https://www.wiredaily.example/denver",
                "source": "Wire Daily",
                "date": "2 days ago",
            },
        ],
        "financials": [
            _statement("Income Statement", ends, (("Revenue", 612, "8.41%"), ("Operating income", -14, "—"))),
            _statement("Balance Sheet", ends, (("Cash and short-term investments", 230, "—"),)),
            _statement("Cash Flow", ends, (("Cash from operations", 31, "1.2%"),)),
        ],
    }


def _statement(title: str, ends: date, rows: tuple[tuple[str, int, str], ...]) -> Json:
    """A statement with the latest quarter, the one before, and the latest year; values are digits in a text."""
    before = (ends - timedelta(days=89)).replace(day=1)
    columns = (
        (f"{ends:%b %Y}", "Quarterly", 1),
        (f"{before:%b %Y}", "Quarterly", 0),
        (str(ends.year - 1), "Annual", 4),
    )
    return {
        "title": title,
        "results": [
            {
                "date": when,
                "period_type": kind,
                "table": [
                    {
                        "title": row,
                        "description": "What it means.",
                        "value": str(value * 1_000_000 * (n or 1)),
                        "change": c,
                    }
                    for row, value, c in rows
                ],
            }
            for when, kind, n in columns
        ],
    }
