"""SEC EDGAR: annual, quarterly and current reports, from their HTML to sections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.standins import edgar_world as sec
from tests.standins.rig_edgar import EdgarRig, but, filled, read, titled
from tests.standins.web_server import NOT_FOUND, Asked, Told, World, page
from tools.base import FailureKind, SourceError
from tools.reading.edgar_reports import release_name
from tools.reading.edgar_text import lines_of

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2", "::1"])


def report(html: str) -> World:
    return but("www.sec.gov", sec.path(sec.TEN_K, "acme-20260131.htm"), page(html))


# --- reports ----------------------------------------------------------------------------------------------------------


async def test_sections_are_taken_from_the_body_and_not_from_the_table_of_contents(tmp_path: Path) -> None:
    assert len(sec.ten_k()) > 30_000
    reply = await read(tmp_path, part="annual_report")
    business = titled(reply, "business").text
    assert business.startswith("Overview\n\nAcme makes anvils and sells AnvilCloud to 12,621 customers.")
    assert "Properties" not in business
    assert "principal competitors" not in business
    assert "HIDDENVALUE" not in "".join(d.text for d in reply.documents)
    assert all(len(d.text) <= 20_000 and d.about == "Acme" and "@" not in d.text for d in reply.documents)
    discussion = titled(reply, "discussion").text  # inside two layout tables
    assert discussion.startswith("Revenue grew by 29%")
    assert "3,626,396" not in discussion


async def test_a_sentence_cut_by_a_page_is_whole_again_and_a_subsection_keeps_its_own_headings(tmp_path: Path) -> None:
    text = titled(await read(tmp_path, part="annual_report"), "competition").text
    assert "the internal teams of our largest customers, some of which" in text
    assert "Cloud competitors\n\nIn software we compete with Ironware Ltd." in text
    assert "Human Capital" not in text


async def test_risks_are_quoted_as_their_headings_state_them(tmp_path: Path) -> None:
    assert [q for q, _ in filled(await read(tmp_path, part="annual_report"), "risks")] == list(sec.RISKS)


async def test_officers_come_from_their_table_without_ages_and_footnotes(tmp_path: Path) -> None:
    reply = await read(tmp_path, part="annual_report")
    people = filled(reply, "people")
    assert [q for q, _ in people][:2] == [
        "Jane A. Doe is Chief Executive Officer and Chairman of Acme.",
        "Wei Chen, Ph.D. is Chief Technology Officer of Acme.",
    ]
    assert people[2][1] == {"name": "Sam O’Neill", "role": "Executive Vice President, Sales; President, Europe"}
    assert not any("52" in d.text for d in reply.documents)


async def test_the_number_of_employees_is_the_report_s_own_sentence(tmp_path: Path) -> None:
    stated = filled(await read(tmp_path, part="annual_report"), "employees")
    assert stated == [(sec.EMPLOYEES, {"n": 7_834, "as_of": "2026-01-31"})]


async def test_an_amendment_is_not_taken_for_the_annual_report(tmp_path: Path) -> None:
    reply = await read(tmp_path, part="annual_report")
    assert {d.url for d in reply.documents} == {f"https://www.sec.gov{sec.path(sec.TEN_K, 'acme-20260131.htm')}"}


async def test_a_quarterly_report_has_its_discussion_under_item_2(tmp_path: Path) -> None:
    (document,) = (await read(tmp_path, part="quarterly_report")).documents
    assert document.title == "Acme: management's discussion (10-Q for the period ended July 31, 2026)"
    assert document.text.startswith("Revenue of the quarter rose")


async def test_a_report_without_item_numbers_is_cut_at_its_titles(tmp_path: Path) -> None:
    told = sec.para("Acme forges anvils for customers in nineteen countries. " * 20)
    html = (
        sec.heading("Our Business")
        + told
        + sec.heading("Risk Factors")
        + "".join(sec.para(f"{r} " * 8) for r in sec.RISKS)
    )
    reply = await read(tmp_path, report(f"<html><body>{html}</body></html>"), part="annual_report")
    assert [d.title.split(": ")[1].split(" (")[0] for d in reply.documents] == ["business", "risk factors"]


@pytest.mark.parametrize(
    "html", ["", "<html></html>", "<p>No item is here.</p>", "\x00\x01", "<table><tr><td>Item 1. Business"]
)
async def test_a_report_without_known_sections_says_so_in_the_note(html: str, tmp_path: Path) -> None:
    reply = await read(tmp_path, report(html), part="annual_report")
    assert reply.documents == ()
    assert "acme-20260131.htm" in reply.note


def test_old_documents_in_the_windows_encoding_are_read() -> None:
    assert lines_of("<p>Acme’s “anvil” – café</p>".encode("cp1252"))[0].text == "Acme’s “anvil” – café"


# --- current reports --------------------------------------------------------------------------------------------------


async def test_events_bring_items_and_the_press_release_without_contacts_and_legal_notices(tmp_path: Path) -> None:
    reply = await read(tmp_path, part="events")
    assert titled(reply, "item 5.02").text == "On September 30, 2026, Acme appointed Lee Park as its CFO."
    assert "Roadrunner" in titled(reply, "item 2.01").text
    release = titled(reply, "press release")
    assert release.url.endswith("/a991release.htm")
    assert "opened a foundry in Ohio" in release.text
    assert "Pat Roe" not in release.text
    assert "forward-looking" not in release.text
    assert not any("SIGNATURE" in d.text or "9.01" in d.title for d in reply.documents)


async def test_an_event_that_cannot_be_read_is_named_and_the_others_are_kept(tmp_path: Path) -> None:
    world = but("www.sec.gov", sec.path(sec.EIGHT_KS[1], "acme-20260930.htm"), NOT_FOUND)
    reply = await read(tmp_path, world, part="events")
    assert len(reply.documents) == 3
    assert reply.note.startswith("1 of the documents could not be read")


async def test_when_no_event_can_be_read_the_call_fails(tmp_path: Path) -> None:
    def world(asked: Asked) -> Told:
        return NOT_FOUND if asked.path.startswith("/Archives") else EdgarRig.world(asked)

    with pytest.raises(SourceError) as caught:
        await read(tmp_path, world, part="events")
    assert caught.value.kind is FailureKind.NOT_FOUND


@settings(deadline=None)
@given(st.text(alphabet="<>/&#;trdpix: Item1A.Busnes\u00a0\ud7ff'\"=", max_size=300))
def test_any_html_gives_lines_and_no_error(html: str) -> None:
    assert all(line.text.strip() for line in lines_of(html.encode("utf-8", "replace")))


async def test_an_item_headed_again_on_every_page_is_one_section(tmp_path: Path) -> None:
    pages = "".join(
        sec.heading("PART I") + sec.heading("Item 1") + sec.para(f"On page {n} Acme tells more of its forges. " * 10)
        for n in range(1, 4)
    )
    html = (
        sec.heading("ITEM 1. BUSINESS")
        + pages
        + sec.heading("ITEM 1A. RISK FACTORS")
        + sec.heading("ITEM 2. PROPERTIES")
    )
    (document,) = (await read(tmp_path, report(f"<html><body>{html}</body></html>"), part="annual_report")).documents
    assert [p[:9] for p in document.text.split("\n\n")] == ["On page 1", "On page 2", "On page 3"]


async def test_a_section_in_one_paragraph_is_cut_at_a_sentence(tmp_path: Path) -> None:
    html = sec.heading("Item 1. Business") + sec.para("Acme forges anvils. " * 2_000)
    (document,) = (await read(tmp_path, report(f"<html><body>{html}</body></html>"), part="annual_report")).documents
    assert 19_000 < len(document.text) <= 20_000
    assert document.text.endswith("anvils.")


@pytest.mark.parametrize(
    ("file", "is_release"),
    [
        ("a991release.htm", True),
        ("acme-ex99_1.htm", True),
        ("d123456dex991.htm", True),
        ("q3fy27exhibit99-1.html", True),
        ("ex9910.htm", False),
        ("ex99-2.htm", False),
        ("R1.htm", False),
        ("../ex99-1.htm", False),
    ],
)
def test_exhibit_99_1_is_known_by_its_file_s_name(file: str, is_release: bool) -> None:
    listed: Any = {"directory": {"item": [{"name": "acme-20261103.htm"}, {"name": file}]}}
    assert release_name(listed) == (file if is_release else "")


async def test_of_several_places_with_one_heading_the_longest_is_meant(tmp_path: Path) -> None:
    summary = sec.heading("Item 1A. Risk Factors") + sec.para(
        "The risks are summed up here, and told in full below. " * 9
    )
    between = sec.heading("Item 1B. Unresolved Staff Comments") + sec.para("None.")
    full = sec.heading("Item 1A. Risk Factors") + "".join(
        sec.heading(r) + sec.para("We explain. " * 20) for r in sec.RISKS
    )
    html = summary + between + full + sec.heading("Item 2. Properties")
    reply = await read(tmp_path, report(f"<html><body>{html}</body></html>"), part="annual_report")
    assert [q for q, _ in filled(reply, "risks")] == list(sec.RISKS)
