"""Ingesting again, and taking out: what went, moved or is to be erased; PDFs by page; titles, days and authors as stated."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from fpdf import FPDF

import agent.pdf
import agent.pdf_pages
from agent.ingest import ingest, remove
from agent.records import Document, Evidence, content_id
from agent.stated import date_in_name, first_line, is_title, stated_author, stated_date
from agent.store.documents import DocumentStore

pytestmark = [pytest.mark.allow_hosts(["127.0.0.1", "::1"]), pytest.mark.asyncio]


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[DocumentStore]:
    opened = DocumentStore(tmp_path / "data" / "documents.db")
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    made.mkdir()
    return made


async def found(store: DocumentStore, words: str) -> list[Document]:
    """The documents in which the words are found, the best first."""
    passages = await store.search(words, limit=50)
    return await store.get_many([p.document_id for p in passages])


async def quote(store: DocumentStore, document: Document, words: str) -> Evidence:
    """Evidence that quotes a stored document."""
    made = Evidence(
        id=content_id(document.id, words), document_id=document.id, start=document.text.index(words), quote=words,
        dataset="news", field="events", retrieved_at=datetime(2026, 11, 1, tzinfo=UTC),
    )  # fmt: skip
    await store.put_evidence([made])
    return made


def pdf(path: Path, *pages: str, heading: str = "", title: str = "", author: str = "") -> None:
    """A real PDF, one text a page."""
    made = FPDF()
    for number, text in enumerate(pages):
        made.add_page()
        if heading and number == 0:
            made.set_font("helvetica", size=24)
            made.multi_cell(0, 12, heading, new_x="LMARGIN", new_y="NEXT")
        made.set_font("helvetica", size=11)
        made.multi_cell(0, 6, text)
    if title:
        made.set_title(title)
    if author:
        made.set_author(author)
    made.output(str(path))


# --- files that went, and files that moved ----------------------------------------------------------------------------


async def test_a_file_that_was_deleted_leaves_the_index_at_the_next_ingest_of_its_folder(
    store: DocumentStore, folder: Path
) -> None:
    (folder / "a.txt").write_text("Zinc is traded in London.")
    (folder / "b.txt").write_text("Tin is traded in Penang.")
    await ingest([folder], store)
    (folder / "a.txt").unlink()
    report = await ingest([folder], store)
    assert [(Path(f.path).name, f.status) for f in report.files] == [("b.txt", "unchanged"), ("a.txt", "gone")]
    assert await found(store, "zinc") == []
    assert len(await found(store, "tin")) == 1
    assert [f.status for f in (await ingest([folder], store)).files] == ["unchanged"]


async def test_what_evidence_quotes_of_a_deleted_file_stays_readable_and_can_be_erased(
    store: DocumentStore, folder: Path
) -> None:
    (folder / "a.txt").write_text("Zinc is traded in London.")
    await ingest([folder], store)
    (document,) = await found(store, "zinc")
    evidence = await quote(store, document, "Zinc is traded")
    (folder / "a.txt").unlink()
    await ingest([folder], store)
    assert await found(store, "zinc") == []
    assert await store.get(document.id) == document
    assert [r.documents for r in await remove([folder / "a.txt"], store)] == [1]
    assert await store.get(document.id) is None
    assert await store.get_evidence([evidence.id]) == []


async def test_only_the_folders_that_are_ingested_are_looked_through(store: DocumentStore, folder: Path) -> None:
    for name in ("one", "two", "one-more"):
        (folder / name).mkdir()
        (folder / name / "a.txt").write_text(f"Zinc from {name}.")
    await ingest([folder], store)
    for name in ("two", "one-more"):
        (folder / name / "a.txt").unlink()
    await ingest([folder / "one"], store)
    assert len(await found(store, "zinc")) == 3


async def test_a_moved_file_is_found_once_at_its_new_place(store: DocumentStore, folder: Path) -> None:
    (folder / "old").mkdir()
    (folder / "new").mkdir()
    (folder / "old" / "a.txt").write_text("Zinc is traded in London.")
    await ingest([folder / "old"], store)
    (folder / "old" / "a.txt").rename(folder / "new" / "b.txt")
    await ingest([folder / "new"], store)
    (document,) = await found(store, "zinc")
    assert document.url.endswith("new/b.txt")
    assert [Path(p).name for p in await store.files()] == ["b.txt"]


async def test_a_copy_is_no_move(store: DocumentStore, folder: Path) -> None:
    (folder / "a.txt").write_text("Zinc is traded in London.")
    await ingest([folder], store)
    (folder / "b.txt").write_text("Zinc is traded in London.")
    await ingest([folder], store)
    assert len(await found(store, "zinc")) == 2


# --- erasing ----------------------------------------------------------------------------------------------------------


async def test_a_folder_is_erased_with_everything_below_it_and_nothing_beside_it(
    store: DocumentStore, folder: Path
) -> None:
    for name in ("in", "in/deep", "in-other"):
        (folder / name).mkdir()
        (folder / name / "a.txt").write_text(f"Zinc from {name}.")
    await ingest([folder], store)
    removed = await remove([folder / "in"], store)
    assert [(Path(r.name).parent.name, r.documents) for r in removed] == [("in", 1), ("deep", 1)]
    assert [d.text for d in await found(store, "zinc")] == ["Zinc from in-other."]


async def test_a_document_is_erased_by_its_id_and_an_unknown_name_is_said_to_be_unknown(
    store: DocumentStore, folder: Path
) -> None:
    (folder / "a.txt").write_text("Zinc is traded in London.")
    await ingest([folder], store)
    (document,) = await found(store, "zinc")
    removed = await remove([document.id, "nowhere.txt"], store)
    assert [(r.name, r.documents) for r in removed] == [(document.id, 1), ("nowhere.txt", 0)]


async def test_the_earlier_text_of_a_changed_file_is_erased_with_it(store: DocumentStore, folder: Path) -> None:
    (folder / "a.txt").write_text("Zinc is traded in London.")
    await ingest([folder], store)
    (old,) = await found(store, "zinc")
    await quote(store, old, "Zinc")
    (folder / "a.txt").write_text("Tin is traded in Penang, and nowhere else.")
    await ingest([folder], store)
    assert [r.documents for r in await remove([folder / "a.txt"], store)] == [2]
    assert await store.get(old.id) is None


# --- PDFs -------------------------------------------------------------------------------------------------------------


async def test_each_page_of_a_pdf_has_an_address_and_a_title_of_its_own(store: DocumentStore, folder: Path) -> None:
    pdf(
        folder / "report.pdf", "Copper is mined in Chile.", "Zinc is traded in London.", title="Metals", author="Jo Ann"
    )
    await ingest([folder], store)
    (page,) = await found(store, "zinc London")
    assert page.url == (folder / "report.pdf").resolve().as_uri() + "#page=2"
    assert page.title == "Metals, page 2"
    assert (await store.search("zinc"))[0].author == "Jo Ann"


async def test_a_sentence_that_runs_over_two_pages_is_whole_on_the_first(store: DocumentStore, folder: Path) -> None:
    pdf(folder / "report.pdf", "Copper is mined in Chile. Zinc is", "traded in London. Tin is not.")
    await ingest([folder], store)
    (page,) = [d for d in await found(store, "zinc traded") if d.url.endswith("#page=1")]
    assert page.text == "Copper is mined in Chile. Zinc is traded in London."


@pytest.mark.parametrize("title", ["", "Microsoft Word - draft7.docx", "Untitled"])
async def test_the_largest_line_is_the_title_where_the_metadata_has_none(
    store: DocumentStore, folder: Path, title: str
) -> None:
    pdf(folder / "a.pdf", "An intro on zinc.\nPublished: March 3, 2026", heading="The zinc market", title=title)
    await ingest([folder], store)
    (document,) = await found(store, "zinc intro")
    assert document.title == "The zinc market"
    assert document.published_at == datetime(2026, 3, 3, tzinfo=UTC)


async def test_a_pdf_that_takes_too_long_is_given_up_and_named(
    store: DocumentStore, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stuck = tmp_path / "stuck.py"
    stuck.write_text("import sys, threading\nsys.stdin.buffer.read()\nthreading.Event().wait()\n")
    monkeypatch.setattr(agent.pdf_pages, "__file__", str(stuck))
    monkeypatch.setattr(agent.pdf, "DEADLINE", 0.2)
    pdf(folder / "a.pdf", "Zinc.")
    (folder / "b.txt").write_text("Tin.")
    report = await ingest([folder], store)
    assert "longer than" in report.failed[0].reason
    assert report.documents == 1


async def test_pages_that_were_read_before_the_reader_broke_down_are_kept(
    store: DocumentStore, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.py"
    lines = '{"pages": 9, "title": "Metals"}\n{"page": 1, "text": "Zinc rose.", "large": ""}\n{"page": 2, "te'
    broken.write_text(f"import sys\nsys.stdin.buffer.read()\nprint({lines!r}, end='', flush=True)\n{{}}['/Root']\n")
    monkeypatch.setattr(agent.pdf_pages, "__file__", str(broken))
    pdf(folder / "a.pdf", "Zinc.")
    (result,) = (await ingest([folder], store)).files
    assert result.status == "ingested"
    assert result.problems == ("it is a damaged PDF (KeyError: '/Root'); 1 of 9 pages were read",)
    assert [d.title for d in await found(store, "zinc")] == ["Metals, page 1"]


# --- what a text says of itself ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Report\nPublished: March 3, 2026\n\nText.", "2026-03-03"),
        ("# Report\n\n*March 3, 2026*\n\nText.", "2026-03-03"),
        ("Report\nBy Jane Doe | 3 March 2026\nText.", "2026-03-03"),
        ("Report\nDate: 2026-03-03\nMarch 9, 2026\nText.", "2026-03-03"),
        ("Report\nMarch 3, 2026\nMarch 9, 2026\n", None),
        ("The deal closes on March 3, 2026, both said.", None),
        ("Published: 03/04/2026", None),
        ("March 2026\n", None),
        ("line\n" * 40 + "March 3, 2026\n", None),
    ],
)
async def test_only_a_day_that_stands_for_itself_is_the_day_of_publication(text: str, day: str | None) -> None:
    assert stated_date(text) == (None if day is None else datetime.fromisoformat(f"{day}T00:00:00+00:00"))


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("2026-03-03-report.md", "2026-03-03"),
        ("report_20260303.pdf", "2026-03-03"),
        ("2026-03-03_to_2026-03-09.txt", None),
        ("2026-13-03.md", None),
        ("invoice-1202603031.txt", None),
        ("03-04-2026.md", None),
    ],
)
async def test_a_day_in_the_name_of_a_file_counts_when_it_is_one(name: str, day: str | None) -> None:
    assert date_in_name(name) == (None if day is None else datetime.fromisoformat(f"{day}T00:00:00+00:00"))


async def test_front_matter_counts_before_the_text_and_the_text_before_the_name(
    store: DocumentStore, folder: Path
) -> None:
    (folder / "2026-01-01-a.md").write_text("---\ndate: 2026-02-02\nauthor: Jane Doe\n---\nMarch 3, 2026\n\nZinc.")
    (folder / "2026-01-01-b.md").write_text("March 3, 2026\n\nCopper.")
    (folder / "2026-01-01-c.txt").write_text("Tin.")
    (folder / "2026-01-01-d.md").write_text("---\ndate: spring\n---\nMarch 3, 2026\n\nLead.")
    await ingest([folder], store)
    days = [(await found(store, w))[0].published_at for w in ("zinc", "copper", "tin", "lead")]
    assert [d and d.month for d in days] == [2, 3, 1, None]
    assert (await store.search("zinc"))[0].author == "Jane Doe"


async def test_an_author_column_and_a_byline_name_the_author(store: DocumentStore, folder: Path) -> None:
    (folder / "a.csv").write_text('title,text,author\nZ,"Zinc is traded in London, they say.",Ada Byron\n')
    (folder / "b.txt").write_text("On tin\n\nBy Jane Doe and Bob Roe\n\nTin is traded.")
    await ingest([folder], store)
    assert (await store.search("zinc"))[0].author == "Ada Byron"
    assert (await store.search("tin traded"))[0].author == "Jane Doe, Bob Roe"


@pytest.mark.parametrize("text", ["By and large, zinc rose.", "by 2026", "By Friday", "By the company itself"])
async def test_words_after_by_are_no_author_unless_they_are_names(text: str) -> None:
    assert stated_author(text) == ""


async def test_titles_that_a_program_left_behind_are_none() -> None:
    assert [is_title(t) for t in ("Annual report", "untitled", "slide 1", "draft.docx", "12", "")] == [True] + [
        False
    ] * 5
    assert first_line("\n12\nMarch 3, 2026\nThe zinc market\nmore") == "The zinc market"
