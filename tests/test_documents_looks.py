"""Filters and looks in the index: publisher, author, time; several outlets in turn; and scripts without spaces."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import ValidationError
from sqlite_utils import Database as Tables

from agent.records import Document, content_id
from agent.store.documents import DocumentStore
from agent.store.documents_schema import m001_initial
from tools.base import Look, SourceEnv
from tools.documents import DocumentsArgs, DocumentsSource, question_args
from tools.reading.documents_looks import looks_of, resolve, spellings

WHEN = datetime(2026, 11, 1, tzinfo=UTC)
ORIGINS = [
    "The Verge",
    "theage.example",
    "FOX News - Lifestyle",
    "FOX News - Health",
    "Cnbc | Leader",
    "Business Wire via x.com",
]


def doc(text: str, origin: str = "", day: int | None = 1, tenant: str = "", title: str = "A page") -> Document:
    """A document with what matters to a test."""
    url = f"https://a.example/{content_id(text, origin, str(day))[:8]}"
    return Document(
        id=content_id("web", url, text),
        url=url,
        title=title,
        text=text,
        source="web",
        origin=origin,
        published_at=None if day is None else datetime(2026, 10, day, 15, 30, tzinfo=UTC),
        retrieved_at=WHEN,
        tenant=tenant,
    )


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[DocumentStore]:
    opened = DocumentStore(tmp_path / "documents.db")
    yield opened
    opened.close()


async def texts(store: DocumentStore, args: DocumentsArgs) -> list[str]:
    """What the source finds."""
    return [d.text for d in (await DocumentsSource(SourceEnv(index=store)).fetch(args)).documents]


# --- names of publishers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("The Verge", {"The Verge"}),
        ("the verge", {"The Verge"}),
        ("Verge", {"The Verge"}),
        ("theverge.com", {"The Verge"}),
        ("CNBC", {"Cnbc | Leader"}),
        ("Fox News", {"FOX News - Lifestyle", "FOX News - Health"}),
        ("FOX News - Health", {"FOX News - Health"}),
        ("FOX News - Life", {"FOX News - Lifestyle"}),
        ("Business Wire", {"Business Wire via x.com"}),
        ("Bloomberg", set()),
        ("?", set()),
    ],
)
def test_a_name_means_the_publishers_that_are_called_so(name: str, meant: set[str]) -> None:
    assert resolve(name, spellings(ORIGINS)) == meant


def test_each_outlet_gets_the_words_and_the_day_next_to_its_name() -> None:
    question = (
        "Does the Verge article on anvils of October 3, 2026 agree with the CNBC report on copper prices in Chile?"
    )
    known = spellings(ORIGINS)
    looks = looks_of(question, [resolve("Verge", known), resolve("CNBC", known)])
    assert [look.origins for look in looks] == [("The Verge",), ("Cnbc | Leader",)]
    assert "anvils" in looks[0].stress
    assert "copper" in looks[1].stress
    assert (looks[0].since, looks[0].until) == (datetime(2026, 10, 3, tzinfo=UTC), datetime(2026, 10, 4, tzinfo=UTC))
    assert looks[1].since is None


# --- searching --------------------------------------------------------------------------------------------------------


async def test_documents_of_one_publisher_are_found_alone(store: DocumentStore) -> None:
    await store.put([doc("Anvils fell.", "The Verge"), doc("Anvils rose.", "Wired")], index=True)
    assert await texts(store, DocumentsArgs(query="anvils", outlets=("Verge",))) == ["Anvils fell."]


async def test_several_outlets_come_in_turn(store: DocumentStore) -> None:
    many = [doc(f"Anvils and anvils, number {n}.", "The Verge") for n in range(6)]
    await store.put([*many, doc("Much else is said before an anvil is named here.", "Wired")], index=True)
    found = await texts(store, DocumentsArgs(query="anvils", outlets=("The Verge", "Wired"), limit=4))
    assert found[1].startswith("Much else")
    assert len(found) == len(set(found)) == 4


async def test_an_outlet_that_the_index_does_not_know_narrows_nothing_and_is_named(store: DocumentStore) -> None:
    await store.put([doc("Anvils fell.", "The Verge")], index=True)
    reply = await DocumentsSource(SourceEnv(index=store)).fetch(DocumentsArgs(query="anvils", outlets=("Reuters",)))
    assert [d.text for d in reply.documents] == ["Anvils fell."]
    assert "Reuters" in reply.note


async def test_first_and_last_day_count_and_undated_documents_do_not(store: DocumentStore) -> None:
    await store.put([doc(f"Anvils on day {n}.", day=n) for n in (3, 4, 5, 6)] + [doc("Anvils.", day=None)], index=True)
    args = DocumentsArgs(query="anvils", since=date(2026, 10, 4), until=date(2026, 10, 5))
    assert sorted(await texts(store, args)) == ["Anvils on day 4.", "Anvils on day 5."]


async def test_an_author_is_found_by_whole_words_of_the_name(store: DocumentStore) -> None:
    mine, other = doc("Anvils fell."), doc("Anvils rose.")
    authors = {mine.id: "JANE DOE, Ada Byron", other.id: "Jane Doenut"}
    await store.put([mine, other], index=True, authors=authors)
    assert await texts(store, DocumentsArgs(query="anvils", author="Jane Doe")) == ["Anvils fell."]
    assert await texts(store, DocumentsArgs(query="anvils", author="Nobody")) == []
    assert (await store.search("anvils fell"))[0].author == "JANE DOE, Ada Byron"


async def test_a_question_in_plain_words_is_narrowed_as_it_says(store: DocumentStore) -> None:
    await store.put(
        [doc("Anvils fell.", "The Verge", day=3), doc("Anvils fell again.", "The Verge", day=9)], index=True
    )
    args = question_args("What did The Verge report on anvils on October 9, 2026?")
    assert await texts(store, args) == ["Anvils fell again."]


async def test_filters_keep_a_private_document_with_its_owner(store: DocumentStore) -> None:
    await store.put([doc("Our anvils.", "Our desk", tenant="t1"), doc("Anvils.", "The Verge")], index=True)
    look = [Look(origins=("Our desk",))]
    assert await store.search("anvils", looks=look) == []
    assert len(await store.search("anvils", looks=look, tenant="t1")) == 1
    assert await store.origins() == ["The Verge"]
    assert await store.origins(tenant="t1") == ["Our desk", "The Verge"]


async def test_passages_that_repeat_the_same_words_leave_room_for_the_rest_of_the_question(
    store: DocumentStore,
) -> None:
    same = [doc(f"Anvil prices, anvil prices, issue {n}.") for n in range(5)]
    await store.put([*same, doc("In Chile a copper mine opened, far from where it all began.")], index=True)
    found = await texts(store, DocumentsArgs(query="anvil prices copper", limit=2))
    assert any("copper" in text for text in found)


async def test_a_model_may_send_an_empty_day_and_not_a_wrong_one() -> None:
    assert DocumentsArgs.model_validate({"query": "a", "since": "", "until": None}).since is None
    with pytest.raises(ValidationError):
        DocumentsArgs.model_validate({"query": "a", "since": "soon"})


# --- scripts without spaces -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("阿克梅公司今年的收入增长了两成。", "公司收入"),
        ("アクメ社は東京に本社を置く。", "東京の本社"),
        ("아크메는 서울에 본사를 두고 있다.", "본사"),
    ],
)
async def test_text_without_spaces_is_found_by_its_characters(store: DocumentStore, text: str, query: str) -> None:
    await store.put([doc(text), doc("Nothing of the kind. 天気"), doc("天气很好")], index=True)
    found = await store.search(query)
    assert [p.text for p in found] == [text]


async def test_about_finds_a_chinese_name_inside_a_sentence(store: DocumentStore) -> None:
    await store.put([doc("昨天阿克梅公司发布了收入。"), doc("昨天环球公司发布了收入。")], index=True)
    assert len(await store.search("收入", about=["阿克梅"])) == 1


# --- what an older index becomes --------------------------------------------------------------------------------------


async def test_an_index_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    old = Tables(tmp_path / "documents.db")
    m001_initial(old)
    old.execute("create table _sqlite_migrations (migration_set text, name text, applied_at text)")
    old.execute("insert into _sqlite_migrations values ('documents', 'm001_initial', '2026-01-01')")
    text = "阿克梅公司 sells anvils. " + "More of it. " * 150
    old.execute(
        "insert into documents values ('d1', 'https://a.example', 'T', ?, 's', 'The Verge', '', '', null, ?, '[]', '')",
        [text, WHEN.isoformat()],
    )
    old.execute("insert into owners values ('d1', '')")
    old.execute("insert into passages values (1, 'd1', 0, 900)")
    old.execute("insert into passages_fts (rowid, title, tags, text) values (1, 'T', '', ?)", [text[:900]])
    old.conn.commit()
    old.close()
    store = DocumentStore(tmp_path / "documents.db")
    assert [p.document_id for p in await store.search("公司")] == ["d1"]
    assert await store.origins() == ["The Verge"]
    assert await store.remove("d1") == 1
    await store.database.write(
        lambda t: t.conn.execute("insert into passages_fts (passages_fts) values ('integrity-check')")
    )
    store.close()
