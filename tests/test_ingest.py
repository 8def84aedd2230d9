"""Files and folders into the store: every format, every way in which a file can be bad, and nothing read twice."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from fpdf import FPDF
from pypdf import PdfReader, PdfWriter

import agent.ingest
from agent.ingest import IngestReport, ingest, load_starter, unload_starter
from agent.records import Document, content_id
from agent.store.documents import DocumentStore
from tools.reading.dates import parse_date

pytestmark = [pytest.mark.allow_hosts(["127.0.0.1", "::1"]), pytest.mark.asyncio]

NOTE = {
    "company": "acme",
    "company_name": "Acme Corp.",
    "dataset": "leadership",
    "field": "people",
    "text": "Ada Byron is chief executive of Acme Corp.",
    "value": [{"name": "Ada Byron", "role": "CEO"}],
    "as_of": "2026-03-04",
    "url": "https://acme.example/team",
    "title": "Team",
    "publisher": "acme.example",
    "retrieved_at": "2026-11-01",
}


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


def write_pdf(path: Path, text: str, title: str = "", password: str = "", day: datetime | None = None) -> None:
    """A small real PDF."""
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("helvetica", size=12)
    pdf.multi_cell(0, 8, text)
    if title:
        pdf.set_title(title)
    if day:
        pdf.set_creation_date(day)
    if password:
        pdf.set_encryption(owner_password=password + "!", user_password=password)
    pdf.output(str(path))


async def only(store: DocumentStore, words: str) -> Document:
    """The one document in which the words are found."""
    found = await store.search(words, limit=20)
    assert len({p.document_id for p in found}) == 1
    document = await store.get(found[0].document_id)
    assert document is not None
    assert document.text[found[0].start :].startswith(found[0].text)
    return document


def reasons(report: IngestReport) -> dict[str, str]:
    """File name -> why it failed."""
    return {Path(f.path).name: f.reason for f in report.failed}


# --- formats ----------------------------------------------------------------------------------------------------------


async def test_markdown_takes_title_date_and_address_from_its_front_matter(store: DocumentStore, folder: Path) -> None:
    head = '---\ntitle: "Anvil report"\ndate: 2026-02-03\nurl: https://a.example/r\npublisher: A Press\n'
    (folder / "a.md").write_text(head + "company: Acme\n---\n\n# Heading\n\nAnvils fell in price.\n")
    assert (await ingest([folder], store)).documents == 1
    found = await only(store, "anvils fell price")
    assert (found.title, found.url, found.origin, found.about) == (
        "Anvil report",
        "https://a.example/r",
        "A Press",
        "Acme",
    )
    assert found.published_at == datetime(2026, 2, 3, tzinfo=UTC)
    assert found.text == "# Heading\n\nAnvils fell in price.\n"
    assert found.id == content_id("documents", found.url, found.text)


async def test_markdown_without_front_matter_is_titled_by_its_heading(store: DocumentStore, folder: Path) -> None:
    (folder / "a.md").write_text("Intro.\n\n# The anvil market\n\nText on zinc.")
    await ingest([folder / "a.md"], store)
    assert (await only(store, "zinc")).title == "The anvil market"


async def test_the_time_of_the_file_is_never_taken_for_the_date_of_publication(
    store: DocumentStore, folder: Path
) -> None:
    (folder / "plain.txt").write_text("Zinc is traded in London.")
    await ingest([folder], store)
    found = await only(store, "zinc")
    assert found.published_at is None
    assert found.title == "plain"
    assert found.url == (folder / "plain.txt").resolve().as_uri()


async def test_html_gives_its_text_title_date_and_site(store: DocumentStore, folder: Path) -> None:
    (folder / "a.html").write_text(
        "<html><head><title>Acme buys Beta</title><meta property='og:site_name' content='Daily Anvil'>"
        "<meta property='article:published_time' content='2024-03-05T10:00:00Z'></head><body><nav>Menu</nav>"
        "<article><h1>Acme buys Beta</h1><p>Acme Corp. said on Tuesday that it will buy Beta for $3 million. It is the "
        "largest purchase in its history.</p><p>The deal closes on May 3, 2025, both said.</p></article></body></html>"
    )
    await ingest([folder], store)
    found = await only(store, "largest purchase history")
    assert (found.title, found.origin) == ("Acme buys Beta", "Daily Anvil")
    assert found.published_at == datetime(2024, 3, 5, 10, tzinfo=UTC)
    assert "Menu" not in found.text


async def test_a_page_whose_body_names_a_day_has_no_date_of_its_own(store: DocumentStore, folder: Path) -> None:
    (folder / "a.html").write_text(
        "<html><head><title>T</title></head><body><article><p>The deal on zinc closes on May 3, 2023, both firms said "
        "in a long statement to their owners.</p><p>Copyright 2022 Acme.</p></article></body></html>"
    )
    await ingest([folder], store)
    assert (await only(store, "zinc")).published_at is None


async def test_a_pdf_gives_its_text_title_and_date(store: DocumentStore, folder: Path) -> None:
    write_pdf(
        folder / "a.pdf", "Acme reported revenue of 5 million.", "Annual report", day=datetime(2025, 5, 6, tzinfo=UTC)
    )
    await ingest([folder], store)
    found = await only(store, "revenue million")
    assert found.title == "Annual report"
    assert found.published_at == datetime(2025, 5, 6, tzinfo=UTC)
    assert "Acme reported revenue of 5 million." in found.text


async def test_rows_with_prose_become_one_document_each(store: DocumentStore, folder: Path) -> None:
    (folder / "crm.csv").write_text(
        "company,notes,date,url,owner\n"
        'Acme,"Met Ada, who likes zinc.",2026-01-02,https://crm.example/1,Kim\n'
        "Globex,Met Bob. He likes copper.,03/04/2026,,Lee\n"
    )
    assert (await ingest([folder], store)).documents == 2
    first, second = await only(store, "zinc"), await only(store, "copper")
    assert (first.about, first.url) == ("Acme", "https://crm.example/1")
    assert first.text == "Met Ada, who likes zinc.\n\nowner: Kim."
    assert first.published_at == datetime(2026, 1, 2, tzinfo=UTC)
    assert second.published_at is None, "03/04/2026 has two readings"
    assert second.url.endswith("crm.csv#row=2")


async def test_a_table_without_prose_becomes_readable_lines(store: DocumentStore, folder: Path) -> None:
    (folder / "people.csv").write_text("name;role;city\nAda;CEO;Paris\nBob;CFO;Rome\n")
    assert (await ingest([folder], store)).documents == 1
    assert (
        await only(store, "CFO Rome")
    ).text == "name: Ada; role: CEO; city: Paris.\nname: Bob; role: CFO; city: Rome."


async def test_a_column_that_is_empty_everywhere_is_not_taken_for_the_text(store: DocumentStore, folder: Path) -> None:
    (folder / "a.json").write_text(json.dumps({"name": "Zinc Works", "description": "", "city": "Paris"}))
    await ingest([folder], store)
    assert (await only(store, "zinc")).text == "name: Zinc Works; city: Paris."


async def test_a_long_unnamed_column_is_taken_for_the_text(store: DocumentStore, folder: Path) -> None:
    long = "Zinc prices rose for the third month in a row, which surprised most of those who trade it every day."
    (folder / "a.json").write_text(
        json.dumps([{"k": 1, "remark": long}, {"k": 2, "remark": long.replace("Zinc", "Tin")}])
    )
    assert (await ingest([folder], store)).documents == 2
    assert (await only(store, "tin")).text.startswith("Tin prices rose")


async def test_a_fact_note_carries_its_field_and_the_day_it_was_true(store: DocumentStore, folder: Path) -> None:
    second = {**NOTE, "field": "chief", "value": "Ada Byron"}
    (folder / "facts.jsonl").write_text("\n".join([json.dumps(NOTE), json.dumps(second), ""]))
    assert (await ingest([folder], store)).documents == 1, "the same words from the same page are one document"
    (passage,) = await store.search("Acme leadership", about=["Acme"])
    assert [(f.dataset, f.field, f.value) for f in passage.fields] == [
        ("leadership", "people", [{"name": "Ada Byron", "role": "CEO"}]),
        ("leadership", "chief", "Ada Byron"),
    ]
    assert all(f.quote == passage.text == NOTE["text"] for f in passage.fields)
    found = await only(store, "Ada")
    assert (found.origin, found.about, found.title) == ("acme.example", "Acme Corp.", "Team")
    assert found.published_at == datetime(2026, 3, 4, tzinfo=UTC)
    assert found.retrieved_at == datetime(2026, 11, 1, tzinfo=UTC)


async def test_broken_lines_are_named_and_the_others_go_in(store: DocumentStore, folder: Path) -> None:
    lines = [
        json.dumps(NOTE),
        '{"text": "cut o',
        "[1]",
        json.dumps({**NOTE, "text": ""}),
        '{"text": "half \\ud83d pair zinc"}',
    ]
    (folder / "facts.jsonl").write_text("\n".join(lines))
    (result,) = (await ingest([folder], store)).files
    assert result.status == "ingested"
    assert result.documents == 2
    assert len(result.problems) == 3
    assert result.problems[0].startswith("line 2 is not JSON")
    assert (await only(store, "zinc")).text == "half  pair zinc"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
async def test_text_is_read_in_its_own_encoding(store: DocumentStore, folder: Path, encoding: str) -> None:
    text = (
        "Die Firma Müller & Söhne verkauft Ambosse für Käufer in größeren Städten. Das Geschäft wächst über Jahre. " * 4
    )
    (folder / "a.txt").write_bytes(text.encode(encoding))
    await ingest([folder], store)
    assert "Müller & Söhne" in (await only(store, "Ambosse")).text


# --- bad files --------------------------------------------------------------------------------------------------------


async def test_each_bad_file_is_named_with_its_reason_and_the_good_ones_go_in(
    store: DocumentStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent.ingest, "MAX_BYTES", 200_000)
    (folder / "empty.txt").write_text("")
    (folder / "blank.md").write_text(" \n\n ")
    (folder / "binary.txt").write_bytes(b"\x7fELF\0\0\1\2")
    (folder / "large.txt").write_text("x" * 200_001)
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nnot really a PDF")
    (folder / "broken.json").write_text('[{"text": ')
    (folder / "broken.jsonl").write_text("nope\nnope")
    write_pdf(folder / "locked.pdf", "Zinc.", password="secret")
    write_pdf(folder / "half.pdf", "Zinc.")
    (folder / "half.pdf").write_bytes((folder / "half.pdf").read_bytes()[:300])
    blank = PdfWriter()
    blank.add_blank_page(100, 100)
    blank.write(folder / "scan.pdf")
    os.mkfifo(folder / "pipe.txt")
    (folder / "gone.txt").symlink_to(folder / "nowhere")
    (folder / "good.txt").write_text("Zinc is traded in London.")
    told: list[str] = []
    report = await ingest([folder, folder / "missing.md", folder / "odd.docx"], store, lambda r: told.append(r.path))
    why = reasons(report)
    expected = {
        "empty.txt": "empty",
        "blank.md": "no text",
        "binary.txt": "binary",
        "large.txt": "larger than",
        "broken.pdf": "damaged PDF",
        "broken.json": "not JSON",
        "broken.jsonl": "line 1 is not JSON",
        "locked.pdf": "encrypted",
        "half.pdf": "damaged PDF",
        "scan.pdf": "OCR",
        "pipe.txt": "not a regular file",
        "gone.txt": "no such file",
        "missing.md": "no such file",
        "odd.docx": "no such file",
    }
    assert {name: text for name, text in expected.items() if text not in why.get(name, "")} == {}
    assert set(why) == set(expected)
    assert [Path(f.path).name for f in report.having("ingested")] == ["good.txt"]
    assert told == [f.path for f in report.files]


async def test_a_file_that_may_not_be_read_is_named(
    store: DocumentStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.txt").write_text("Zinc.")
    (folder / "b.txt").write_text("Tin.")
    read = Path.read_bytes

    def guarded(path: Path) -> bytes:
        if path.name == "a.txt":  # the tests may run as root, whom no file mode stops
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", guarded)
    report = await ingest([folder], store)
    assert reasons(report) == {"a.txt": "permission denied"}
    assert report.documents == 1


async def test_hidden_files_are_left_alone_and_unknown_types_are_mentioned(store: DocumentStore, folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "notes.md").write_text("Secret zinc.")
    (folder / ".env.txt").write_text("Secret zinc.")
    (folder / "image.png").write_bytes(b"\x89PNG")
    report = await ingest([folder], store)
    assert [(Path(f.path).name, f.status) for f in report.files] == [("image.png", "skipped")]


async def test_an_owner_password_alone_does_not_keep_a_pdf_out(store: DocumentStore, folder: Path) -> None:
    write_pdf(folder / "plain.pdf", "Zinc is traded in London.")
    writer = PdfWriter(PdfReader(folder / "plain.pdf"))
    writer.encrypt(user_password="", owner_password="owner", algorithm="AES-256")
    writer.write(folder / "open.pdf")
    (folder / "plain.pdf").unlink()
    assert (await ingest([folder], store)).documents == 1


# --- again ------------------------------------------------------------------------------------------------------------


async def test_files_are_taken_in_order_and_once(store: DocumentStore, folder: Path) -> None:
    (folder / "sub").mkdir()
    for name in ("b.txt", "a.txt", "sub/c.txt"):
        (folder / name).write_text(f"Zinc {name}.")
    report = await ingest([folder, folder / "a.txt"], store)
    assert [Path(f.path).name for f in report.files] == ["a.txt", "b.txt", "c.txt"]


async def test_an_unchanged_file_is_not_read_again(
    store: DocumentStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.txt").write_text("Zinc is traded in London.")
    await ingest([folder], store)
    revision = await store.revision()
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail("it was read"))
    report = await ingest([folder], store)
    assert [f.status for f in report.files] == ["unchanged"]
    assert await store.revision() == revision


async def test_a_touched_file_with_the_same_content_is_unchanged(store: DocumentStore, folder: Path) -> None:
    (folder / "a.txt").write_text("Zinc is traded in London.")
    await ingest([folder], store)
    os.utime(folder / "a.txt", ns=(1, 1))
    assert [f.status for f in (await ingest([folder], store)).files] == ["unchanged"]
    (record,) = (await store.files()).values()
    assert record.mtime_ns == 1


async def test_a_changed_file_replaces_its_documents(store: DocumentStore, folder: Path) -> None:
    (folder / "a.txt").write_text("Zinc is traded in London.")
    (folder / "b.txt").write_text("Copper is traded in Chile.")
    await ingest([folder], store)
    (folder / "a.txt").write_text("Tin is traded in Penang, not anywhere else.")
    report = await ingest([folder], store)
    assert [f.status for f in report.files] == ["replaced", "unchanged"]
    assert await store.search("zinc") == []
    assert (await store.stats()).documents == 2
    await only(store, "tin Penang")


async def test_only_new_front_matter_changes_what_is_said_about_the_same_text(
    store: DocumentStore, folder: Path
) -> None:
    (folder / "a.md").write_text("---\ntitle: Old\n---\nZinc is traded.")
    await ingest([folder], store)
    (folder / "a.md").write_text("---\ntitle: New name\ndate: 2026-01-01\n---\nZinc is traded.")
    await ingest([folder], store)
    found = await only(store, "zinc")
    assert (found.title, found.published_at) == ("New name", datetime(2026, 1, 1, tzinfo=UTC))


async def test_a_file_that_went_bad_keeps_its_earlier_text_and_is_tried_again(
    store: DocumentStore, folder: Path
) -> None:
    (folder / "a.txt").write_text("Zinc is traded in London.")
    await ingest([folder], store)
    (folder / "a.txt").write_bytes(b"\0\1")
    assert "earlier text is kept" in reasons(await ingest([folder], store))["a.txt"]
    await only(store, "zinc")
    (folder / "a.txt").write_text("Tin is traded in Penang.")
    assert [f.status for f in (await ingest([folder], store)).files] == ["replaced"]


async def test_a_removed_file_is_gone_and_can_come_back(store: DocumentStore, folder: Path) -> None:
    (folder / "a.txt").write_text("Zinc is traded in London.")
    await ingest([folder], store)
    assert await store.remove((folder / "a.txt").resolve()) == 1
    assert await store.search("zinc") == []
    assert [f.status for f in (await ingest([folder], store)).files] == ["ingested"]


# --- the starter library ----------------------------------------------------------------------------------------------


@pytest.fixture
def starter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (folder / "acme.jsonl").write_text(json.dumps(NOTE))
    monkeypatch.setattr(agent.ingest, "STARTER", folder)
    return folder


async def test_the_starter_notes_are_loaded_once_and_marked_as_such(store: DocumentStore, starter: Path) -> None:
    assert (await load_starter(store)).documents == 1
    found = await only(store, "Ada")
    assert (found.source, found.licence) == ("starter", "fact note; see url")
    assert [f.status for f in (await load_starter(store)).files] == ["unchanged"]


async def test_starter_notes_that_a_release_no_longer_has_go_away(store: DocumentStore, starter: Path) -> None:
    await load_starter(store)
    (starter / "acme.jsonl").rename(starter / "acme2.jsonl")
    await load_starter(store)
    assert (await store.stats()).documents == 1
    assert list(await store.files()) == ["starter/acme2.jsonl"]


async def test_the_starter_notes_can_be_taken_out(store: DocumentStore, starter: Path) -> None:
    await load_starter(store)
    assert await unload_starter(store) == 1
    assert await store.search("Ada") == []


async def test_every_note_of_the_starter_library_can_be_read(store: DocumentStore) -> None:
    report = await load_starter(store)
    assert report.failed == ()
    assert [f.problems for f in report.files if f.problems] == []
    assert (await store.stats()).indexed > 0


# --- dates ------------------------------------------------------------------------------------------------------------

ANCHOR = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-04", "2026-03-04T00:00:00+00:00"),
        ("2026-03-04T22:30:00-05:00", "2026-03-05T03:30:00+00:00"),
        ("2019-03-20 01:07:50 UTC", "2019-03-20T01:07:50+00:00"),
        ("Dec 14, 2017", "2017-12-14T00:00:00+00:00"),
        ("September 3rd, 2024", "2024-09-03T00:00:00+00:00"),
        ("3 Mar 2024", "2024-03-03T00:00:00+00:00"),
        ("10/07/2025, 01:06 PM, +0000 UTC", "2025-10-07T13:06:00+00:00"),
        ("3 days ago", "2026-11-19T10:00:00+00:00"),
        ("an hour ago", "2026-11-22T09:00:00+00:00"),
        ("Yesterday", "2026-11-21T10:00:00+00:00"),
    ],
)
async def test_a_certain_date_is_read(text: str, day: str) -> None:
    assert parse_date(text, ANCHOR) == datetime.fromisoformat(day)


@pytest.mark.parametrize(
    "text",
    [
        "10/07/2025",
        "2 weeks ago",
        "1 month ago",
        "March 2024",
        "2024",
        "soon",
        "",
        "2026-13-45",
        "Mar 21",
        "x" * 99,
        None,
        5,
    ],
)
async def test_an_uncertain_date_is_not_guessed(text: object) -> None:
    assert parse_date(text, ANCHOR) is None


async def test_a_relative_date_without_the_day_it_was_said_is_not_guessed() -> None:
    assert parse_date("3 days ago") is None
