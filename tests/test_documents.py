"""The document store: what is put in comes back to the letter, is found by its words, and stays with its owner."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.records import Document, Evidence, content_id
from agent.store.documents import DocumentStore, FileRecord
from agent.store.passages import SIZE, content_terms, cut, match_any, match_names
from tools.base import FieldQuote, SourceEnv
from tools.documents import DocumentsArgs, DocumentsSource

pytestmark = [pytest.mark.allow_hosts(["127.0.0.1", "::1"]), pytest.mark.asyncio]

WHEN = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)


def doc(
    text: str,
    *,
    title: str = "A page",
    about: str = "",
    tenant: str = "",
    url: str = "https://a.example/",
    day: int = 1,
) -> Document:
    """A document with what matters to a test."""
    return Document(
        id=content_id("web", url, text),
        url=url,
        title=title,
        text=text,
        source="web",
        about=about,
        published_at=datetime(2026, 10, day, tzinfo=UTC),
        retrieved_at=WHEN,
        tenant=tenant,
    )


def evidence(document: Document, quote: str) -> Evidence:
    """Evidence that quotes a document."""
    return Evidence(
        id=content_id(document.id, quote),
        document_id=document.id,
        start=document.text.index(quote),
        quote=quote,
        dataset="leadership",
        field="people",
        value=[{"name": "Ada", "n": 1.5, "ok": None}],
        published_at=document.published_at,
        retrieved_at=WHEN,
    )


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[DocumentStore]:
    opened = DocumentStore(tmp_path / "documents.db")
    yield opened
    opened.close()


# --- what goes in comes out -------------------------------------------------------------------------------------------


async def test_a_document_comes_back_as_it_was_put_in(store: DocumentStore) -> None:
    put = doc("Zoë said: “naïve” \u2028 and 🚀 — done.\n\nSecond.", about="Acme", tenant="t1")
    await store.put([put])
    assert await store.get(put.id) == put
    assert await store.get("nothing") is None


async def test_putting_twice_changes_nothing(store: DocumentStore) -> None:
    put = doc("Acme sells anvils.")
    await store.put([put], index=True)
    revision = await store.revision()
    await store.put([put, put], index=True)
    assert await store.revision() == revision
    assert (await store.stats()).passages == 1


async def test_a_date_once_known_is_not_lost_when_the_page_is_met_again_without_one(store: DocumentStore) -> None:
    put = doc("Acme sells anvils.")
    later = put.model_copy(update={"published_at": None, "retrieved_at": datetime(2026, 11, 9, tzinfo=UTC)})
    await store.put([put])
    await store.put([later])
    assert await store.get(put.id) == later.model_copy(update={"published_at": put.published_at})


async def test_many_come_back_in_the_order_asked_for_and_unknown_ids_are_left_out(store: DocumentStore) -> None:
    one, two = doc("One."), doc("Two.")
    await store.put([one, two])
    assert [d.id for d in await store.get_many([two.id, "nothing", one.id, two.id])] == [two.id, one.id]


async def test_evidence_comes_back_with_its_value_and_is_replaced_by_id(store: DocumentStore) -> None:
    page = doc("Ada is chief executive.")
    found = evidence(page, "Ada is chief executive")
    await store.put([page])
    await store.put_evidence([found])
    await store.put_evidence([found.model_copy(update={"score": 0.9}), evidence(page, "Ada")])
    assert await store.get_evidence([found.id, "nothing"]) == [found.model_copy(update={"score": 0.9})]


async def test_everything_is_there_again_after_the_store_is_opened_anew(tmp_path: Path) -> None:
    put = doc("Acme sells anvils.")
    first = DocumentStore(tmp_path / "documents.db")
    await first.put([put], index=True)
    first.close()
    second = DocumentStore(tmp_path / "documents.db")
    assert await second.get(put.id) == put
    assert [p.document_id for p in await second.search("anvils")] == [put.id]
    second.close()


# --- the index --------------------------------------------------------------------------------------------------------


async def test_a_fetched_document_is_stored_and_not_searchable(store: DocumentStore) -> None:
    revision = await store.revision()
    await store.put([doc("Acme sells anvils.")])
    assert await store.search("anvils") == []
    assert await store.revision() == revision


async def test_a_passage_is_an_exact_slice_of_its_document(store: DocumentStore) -> None:
    text = "\n\n".join(f"  Paragraph {i} speaks of anvil number {i}. Ünïcode 🚀 too!  " for i in range(200))
    put = doc(text)
    await store.put([put], index=True)
    found = await store.search("anvil number 150", limit=200)
    assert len(found) > 5
    for passage in found:
        assert text[passage.start : passage.start + len(passage.text)] == passage.text


async def test_words_are_found_in_other_forms_and_cases(store: DocumentStore) -> None:
    put = doc("The company is HIRING engineers.")
    await store.put([put, doc("Nothing of the kind.")], index=True)
    assert [p.document_id for p in await store.search("who hires an engineer?")] == [put.id]


async def test_a_title_counts_for_more_than_the_text(store: DocumentStore) -> None:
    titled, mentioned = doc("Much else is said here.", title="Anvils"), doc("Here anvils are mentioned.", title="Else")
    await store.put([mentioned, titled], index=True)
    assert [p.document_id for p in await store.search("anvils")] == [titled.id, mentioned.id]


async def test_about_narrows_to_documents_that_are_about_or_name_the_company(store: DocumentStore) -> None:
    about = doc("Revenue grew.", about="Acme Corp.")
    names = doc("Padding first. " * 100 + "\n\nThe revenue of ACME grew.")
    other = doc("Revenue grew at Globex.", about="Globex")
    await store.put([about, names, other], index=True)
    found = await store.search("revenue grew", about=["Acme"])
    assert {p.document_id for p in found} == {about.id, names.id}
    assert {p.document_id for p in await store.search("revenue", about=["Acme", "Globex"])} == {
        about.id,
        names.id,
        other.id,
    }
    assert await store.search("revenue", about=["???"]) == []


async def test_known_fields_come_with_the_passage_that_holds_their_quote(store: DocumentStore) -> None:
    put = doc("Ada is chief executive of Acme. " + "Filler sentence. " * 120 + "Bob is chief financial officer.")
    known = [
        FieldQuote(dataset="leadership", field="people", quote="Ada is chief executive", value=[{"name": "Ada"}]),
        FieldQuote(
            dataset="leadership", field="people", quote="Bob is chief financial officer", value=[{"name": "Bob"}]
        ),
    ]
    await store.put([put], index=True, fields={put.id: known})
    for passage in await store.search("chief"):
        assert list(passage.fields) == [f for f in known if f.quote in passage.text]


async def test_a_note_known_to_fill_a_wanted_dataset_is_lifted(store: DocumentStore) -> None:
    first, second = doc("Acme grew its revenue revenue.", about="Acme"), doc("Acme revenue: 5.", about="Acme")
    fields = {second.id: [FieldQuote(dataset="financials", field="revenue", quote="Acme revenue: 5.", value=5)]}
    await store.put([first, second], index=True, fields=fields)
    assert (await store.search("Acme revenue", datasets=["financials"]))[0].document_id == second.id


async def test_the_revision_changes_when_a_document_comes_and_when_it_goes(store: DocumentStore) -> None:
    put = doc("Acme sells anvils.")
    seen = [await store.revision()]
    await store.put([put], index=True)
    seen.append(await store.revision())
    await store.remove(put.id)
    seen.append(await store.revision())
    assert sorted(set(seen)) == seen


async def test_a_removed_document_is_gone_from_the_store_the_index_and_the_evidence(store: DocumentStore) -> None:
    put, kept = doc("Ada sells anvils to Bob."), doc("Bob buys anvils.")
    found = evidence(put, "Ada sells anvils")
    await store.put([put, kept], index=True)
    await store.put_evidence([found])
    assert await store.remove(put.id) == 1
    assert await store.get(put.id) is None
    assert await store.get_evidence([found.id]) == []
    assert [p.document_id for p in await store.search("anvils Ada")] == [kept.id]
    assert await store.remove(put.id) == 0


async def test_a_page_fetched_first_and_ingested_later_under_another_title_can_be_removed_cleanly(
    store: DocumentStore,
) -> None:
    put = doc("Acme sells anvils.", title="Fetched")
    await store.put([put])
    await store.put([put.model_copy(update={"title": "Ingested"})], index=True)
    assert [p.title for p in await store.search("ingested")] == ["Ingested"]
    await store.remove(put.id)
    assert await store.search("ingested fetched anvils") == []
    await store.database.write(
        lambda t: t.conn.execute("insert into passages_fts (passages_fts) values ('integrity-check')")
    )


async def test_replacing_a_file_keeps_the_text_that_evidence_still_quotes(store: DocumentStore) -> None:
    old, unquoted, new = doc("Ada leads Acme."), doc("Nobody cites this."), doc("Bob leads Acme.")
    record = FileRecord(path="/notes.md", size=1, mtime_ns=1, sha256="x", ingested_at=WHEN)
    await store.put_file(record, [old, unquoted])
    await store.put_evidence([evidence(old, "Ada leads Acme")])
    await store.put_file(record, [new])
    assert [p.document_id for p in await store.search("leads Acme cites")] == [new.id]
    assert await store.get(old.id) == old
    assert await store.get(unquoted.id) is None


async def test_writers_and_readers_do_not_disturb_each_other(store: DocumentStore) -> None:
    pages = [doc(f"Anvil number {i}.", url=f"https://a.example/{i}") for i in range(40)]
    await asyncio.gather(*(store.put([p], index=True) for p in pages), *(store.search("anvil") for _ in range(40)))
    assert len(await store.search("anvil", limit=100)) == 40


# --- owners -----------------------------------------------------------------------------------------------------------


async def test_a_private_document_is_found_by_its_own_tenant_only(store: DocumentStore) -> None:
    secret, public = doc("Our anvils cost nine.", tenant="thread-1"), doc("Anvils are sold by many.")
    await store.put([secret, public], index=True)
    assert {p.document_id for p in await store.search("anvils")} == {public.id}
    assert {p.document_id for p in await store.search("anvils", tenant="thread-2")} == {public.id}
    assert {p.document_id for p in await store.search("anvils", tenant="thread-1")} == {secret.id, public.id}


async def test_two_tenants_who_typed_the_same_words_both_find_them(store: DocumentStore) -> None:
    one, two = doc("Our anvils.", tenant="one"), doc("Our anvils.", tenant="two")
    await store.put([one], index=True)
    await store.put([two], index=True)
    for tenant in ("one", "two"):
        assert len(await store.search("anvils", tenant=tenant)) == 1
    assert await store.search("anvils", tenant="three") == []


async def test_the_source_never_shows_a_private_document(store: DocumentStore) -> None:
    await store.put([doc("Our anvils cost nine.", tenant="thread-1")], index=True)
    assert (await DocumentsSource(SourceEnv(index=store)).fetch(DocumentsArgs(query="anvils"))).documents == ()


async def test_the_source_names_the_stored_document_and_where_the_passage_begins(store: DocumentStore) -> None:
    put = doc("Filler sentence. " * 100 + "Acme sells anvils.", about="Acme")
    await store.put([put], index=True)
    found = (
        await DocumentsSource(SourceEnv(index=store)).fetch(DocumentsArgs(query="anvils", about="Acme | Acme Inc."))
    ).documents
    assert [d.stored_id for d in found] == [put.id]
    assert put.text[found[0].offset :].startswith(found[0].text)


async def test_the_salt_of_the_source_changes_with_the_index(store: DocumentStore) -> None:
    source, args = DocumentsSource(SourceEnv(index=store)), DocumentsArgs(query="anvils")
    before = await source.cache_salt(args)
    await store.put([doc("Acme sells anvils.")], index=True)
    assert await source.cache_salt(args) != before


# --- anything that can be typed ---------------------------------------------------------------------------------------

anything = st.text(alphabet=st.characters(), max_size=200) | st.sampled_from(
    [
        '"',
        "AND",
        "a OR",
        "NEAR(a b, 3)",
        "*",
        "title:x",
        "^a",
        "a-b",
        "-",
        "(",
        "{a}",
        "\0",
        "\ud800 x",
        "'; drop table",
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(query=anything, about=st.lists(anything, max_size=3), limit=st.integers(-5, 60))
async def test_nothing_that_can_be_typed_makes_a_search_raise(
    store: DocumentStore, query: str, about: list[str], limit: int
) -> None:
    await store.put([doc("Acme sells anvils AND more OR less.", about="Acme")], index=True)
    found = await store.search(query, about=about, limit=limit)
    assert len(found) <= max(limit, 0)


@given(st.text())
async def test_every_word_of_a_query_is_quoted(text: str) -> None:
    for expression in (match_any(content_terms(text)), match_names([text])):
        assert expression.count('"') % 2 == 0
        assert all(part == " OR " or not part for part in expression.split('"')[2:-1:2])


@given(st.text(max_size=4_000) | st.text(alphabet="ab .\n!?", max_size=6_000))
async def test_passages_hold_every_word_and_no_passage_is_far_too_long(text: str) -> None:
    spans = cut(text)
    covered = {i for s in spans for i in range(s.start, s.start + s.length)}
    assert all(i in covered or c.isspace() for i, c in enumerate(text))
    assert all(0 < s.length <= SIZE for s in spans)
    assert [s.start for s in spans] == sorted({s.start for s in spans})
