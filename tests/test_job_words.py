"""Words of job postings: functions, key titles, technologies, and the sentences made of them."""

from __future__ import annotations

import pytest

from tools.reading.job_words import function_of, is_key_title, technologies_in
from tools.reading.jobs import impersonal, in_words, one_line, plain_text
from tools.reading.namesakes import named_in, same_name, site_in, site_of, squeezed


@pytest.mark.parametrize(
    ("title", "function"),
    [
        ("Senior Data Engineer", "Data"),
        ("Software Engineer, Product", "Engineering"),
        ("Software Engineer - Security", "Engineering"),
        ("Staff Security Engineer", "Security"),
        ("Manager, Customer Success", "Customer Success"),
        ("VP, Finance", "Finance"),
        ("Sales Engineer", "Sales"),
        ("Salesforce Developer", "Engineering"),
        ("Product Designer", "Design"),
        ("Group Product Manager", "Product"),
        ("Product Marketing Manager", "Marketing"),
        ("Technical Recruiter", "People"),
        ("IT Support Specialist", "IT"),
        ("Make it Happen Hero", "Other"),
        ("Technical Support Engineer", "Support"),
        ("Research Scientist", "Research"),
        ("Senior Counsel", "Legal"),
        ("Chief of Staff", "Operations"),
        ("", "Other"),
    ],
)
def test_a_title_belongs_to_the_function_of_its_head(title: str, function: str) -> None:
    assert function_of(title) == function


def test_the_department_decides_only_where_the_title_says_nothing() -> None:
    assert function_of("Associate", "Legal") == "Legal"
    assert function_of("Software Engineer", "Legal") == "Engineering"


@pytest.mark.parametrize(
    ("title", "key"),
    [
        ("Head of Sales", True),
        ("Director, Data Platform", True),
        ("SVP Engineering", True),
        ("Founding Engineer", True),
        ("Tech Lead", True),
        ("Principal Designer", True),
        ("Lead Generation Specialist", False),
        ("Executive Assistant to the CEO", False),
        ("Senior Engineer", False),
        ("Headhunter", False),
    ],
)
def test_a_key_title_leads_something(title: str, key: bool) -> None:
    assert is_key_title(title) is key


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("We use Python, Go, and Rust on Kubernetes.", ["Python", "Go", "Rust", "Kubernetes"]),
        ("Go to market with a go-to-market team. Ready, set, go!", []),
        ("R&D is done in R or Julia.", ["R", "Julia"]),
        ("Let us spark joy: rust never sleeps, and swift oracles excel in a snowflake.", []),
        ("Swift action is needed. Swift, decisive people react.", []),
        ("Tools: Swift, Kotlin", ["Swift", "Kotlin"]),
        ("React experience and React Native", ["React", "React Native"]),
        ("C++ and C#, .NET, Node.js", ["C++", "C#", ".NET", "Node.js"]),
        ("Snowflake (or Redshift), dbt/Airflow on Apache Spark", ["Snowflake", "Redshift", "dbt", "Airflow", "Spark"]),
        ("Postgres, then PostgreSQL", ["PostgreSQL"]),
        ("See https://www.snowflake.com/python or mail python@tableau.com", []),
        ("JavaScript is not Javanese, and Javascripting no word.", ["JavaScript"]),
        ("Every customer Segment counts. Segment by segment we go.", []),
        ("You will excel at work; Excel at it.", []),
        ("On a workday, reactive angular sap flows through an airflow superset.", ["Angular"]),
    ],
)
def test_only_technologies_that_are_meant_are_named(text: str, names: list[str]) -> None:
    assert [name for name, _ in technologies_in(text)] == names


def test_a_technology_has_its_category() -> None:
    assert technologies_in("Snowflake, Terraform and PyTorch") == [
        ("Snowflake", "data warehouse"),
        ("Terraform", "infrastructure"),
        ("PyTorch", "ML"),
    ]


def test_markup_becomes_lines_without_scripts_and_half_characters() -> None:
    markup = (
        "<h2>About&nbsp;us</h2><p>We make <b>anvils</b> &amp; tools.</p><script>track('x')</script><li>Go\ud800</li>"
    )
    assert plain_text(markup) == "About us\nWe make anvils & tools.\nGo"
    assert plain_text({"no": "text"}) == ""


def test_addresses_and_numbers_go_with_the_sentence_that_holds_them() -> None:
    text = "We use dbt. Ask Jane Doe at jane.doe@acme.example for more. Or ring Sam on +31 10 123 4567! Apply now."
    assert impersonal(f"{text}\njoe (at) acme.example") == "We use dbt. Apply now."
    assert one_line('Chief "Anvil"\nOfficer jane@acme.example') == "Chief 'Anvil' Officer"


def test_a_list_is_said_as_people_say_it() -> None:
    assert [in_words(["a", "b", "c"][:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]


def test_names_are_one_companys_only_when_they_are_spelt_alike() -> None:
    assert same_name("Acme Robotics, Inc.", "ACME robotics")
    assert not same_name("Acme", "Acme Robotics")
    assert not same_name("", "")
    assert squeezed("Société Générale SA") == "societegenerale"


def test_a_name_and_a_site_must_stand_alone_in_a_text() -> None:
    assert named_in("At Acme, we forge.", "Acme Inc.")
    assert not named_in("The acme of anvils; Acmeans agree.", "Acme")
    assert site_in("See www.acme.com.", "acme.com")
    assert not site_in("See notacme.com or acme.com.br.", "acme.com")
    assert (site_of("https://www.Acme.co.uk/x"), site_of("acme.io"), site_of("n/a"), site_of("")) == (
        "acme.co.uk",
        "acme.io",
        "",
        "",
    )
