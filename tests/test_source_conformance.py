"""What every source promises, held against every source that the folder holds."""

from __future__ import annotations

import asyncio
import gc
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from pydantic import BaseModel

from agent.calls import buy
from agent.records import Call, CallStatus
from agent.settings import Settings
from tests.house import DAY, budgets, house, scope
from tests.standins.registry import Failing, Rig, rigs
from tools.base import SourceEnv, SourceError, SourceTool, SubjectHint, discover
from tools.http_source import HttpSource
from tools.web.addresses import check_url

# Nothing but the loopback may be reached from here.
pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2", "::1"])

DATASETS = frozenset(
    [
        *("profile", "products", "financials", "funding", "leadership", "news"),
        *("hiring", "technology", "strategy", "competitors", "customers", "vendor"),
    ]
)
SUBJECTS = (
    SubjectHint(name="Acme"),
    SubjectHint(name='Sm"ith & Søn\u00a0A/S', aliases=("Smith", "x" * 600), ticker="SMS", domain="smith.example"),
    SubjectHint(name="Acme", legal_name="Acme Corp.", ticker="ACME", cik="0001234567", domain="acme.example"),
)
Kind = type[SourceTool[Any]]
SOURCES: dict[str, Kind] = {kind.name: kind for kind in discover()}
RIGS = {name: rig for name, rig in rigs().items() if name in SOURCES}
FAILURES = [pytest.param(rig, f, id=f"{name}-{f.behaviour}") for name, rig in RIGS.items() for f in rig.failures]

every_source = pytest.mark.parametrize("kind", list(SOURCES.values()), ids=list(SOURCES))
every_rig = pytest.mark.parametrize("rig_type", list(RIGS.values()), ids=list(RIGS))


@pytest.fixture
def nothing_raised_later(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fails when an exception surfaces anywhere but where it was raised: in a thread, or when garbage is collected."""
    stray: list[str] = []
    before = threading.excepthook, sys.unraisablehook
    threading.excepthook = lambda args: stray.append(f"thread: {args.exc_type}")
    sys.unraisablehook = lambda args: stray.append(f"unraisable: {args.exc_type}")
    yield
    gc.collect()
    threading.excepthook, sys.unraisablehook = before
    assert stray == []
    assert [r.getMessage() for r in caplog.records if r.name == "asyncio" and r.levelno >= logging.ERROR] == []


# --- declarations -----------------------------------------------------------------------------------------------------


@every_source
def test_a_source_says_how_it_is_driven_in_tests(kind: Kind) -> None:
    assert kind.name in RIGS, (
        f"The source `{kind.name}` has no rig. Add tests/standins/rig_{kind.name}.py with a subclass of "
        f'tests.standins.registry.Rig, ending in `RIGS = {{"{kind.name}": YourRig}}`; rig_serpapi.py shows how.'
    )


def test_source_names_are_unique() -> None:
    names = [kind.name for kind in discover()]
    assert sorted(set(names)) == sorted(names)


@every_source
def test_a_source_declares_itself_completely_and_sanely(kind: Kind) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]{2,39}", kind.name)
    assert all(text.strip() for text in (kind.title, kind.description, kind.licence))
    assert kind.datasets
    assert set(kind.datasets) <= DATASETS
    assert all(0 < prior <= 1 for prior in kind.datasets.values())
    assert 0 < kind.reliability < 1
    assert 0 < kind.latency < kind.timeout
    assert kind.schema_version >= 1
    assert kind.repeats_free is None or kind.repeats_free > timedelta(0)
    price = kind(SourceEnv()).max_price
    assert isinstance(price, int)
    assert price >= 0


@every_source
def test_a_source_declares_how_it_behaves_on_the_web(kind: Kind) -> None:
    free = issubclass(kind, HttpSource)
    assert kind.homepage or kind.needs_domain or not free, "a free service: where its documentation or its terms are"
    assert not kind.homepage or check_url(kind.homepage)
    for domain, pace in kind.paces.items():
        assert check_url(f"https://{domain}/").host == domain, "a domain: in lower case, without scheme, port or path"
        assert 0 < pace.per_second <= 100
        assert 1 <= pace.burst <= 100
        assert 1 <= pace.at_once <= 20
    assert kind.needs == " ".join(kind.needs.split())
    assert len(kind.needs) <= 160
    assert kind(SourceEnv()).max_price == 0 or not free


@every_source
def test_every_argument_is_described_for_the_chat_model(kind: Kind) -> None:
    schema = kind.Args.model_json_schema()
    assert schema["properties"]
    for name, spec in schema["properties"].items():
        assert len(spec.get("description", "")) >= 10, f"{kind.name}.{name} has no description"
    assert schema.get("additionalProperties") is False


@every_source
@pytest.mark.parametrize("subject", SUBJECTS, ids=["plain", "awkward", "known"])
def test_suggestions_are_valid_arguments_for_every_declared_dataset(kind: Kind, subject: SubjectHint) -> None:
    source = kind(SourceEnv())
    for dataset in kind.datasets:
        suggested = source.suggest(subject, dataset, "What should we know?")
        without = kind.needs_domain and not subject.domain
        assert suggested or without, f"{kind.name} declares {dataset} and suggests nothing for it"
        for args in suggested:
            assert isinstance(args, kind.Args)
            assert kind.Args.model_validate(args.model_dump(mode="json")) == args


@every_source
def test_nothing_is_suggested_for_an_unknown_dataset(kind: Kind) -> None:
    assert list(kind(SourceEnv()).suggest(SUBJECTS[0], "weather", "Will it rain?")) == []


@every_source
def test_an_unavailable_source_names_the_setting_that_would_help(kind: Kind) -> None:
    advice = kind(SourceEnv()).unavailable()
    if advice is not None:
        known = {Settings.env_name(name) for name in Settings.model_fields}
        assert known & set(re.findall(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+", advice)), advice


@every_source
@pytest.mark.asyncio
async def test_an_unavailable_source_fails_in_kind_when_it_is_called_all_the_same(kind: Kind) -> None:
    source = kind(SourceEnv())
    if source.unavailable() is not None:
        with pytest.raises(SourceError) as caught:
            await source.fetch(source.suggest(SUBJECTS[2], next(iter(kind.datasets)), "?")[0])
        assert caught.value.billed == 0


# --- calls ------------------------------------------------------------------------------------------------------------


@every_rig
@pytest.mark.asyncio
async def test_a_good_reply_becomes_documents_whose_quotes_stand_in_their_text(
    rig_type: type[Rig], tmp_path: Path
) -> None:
    async with rig_type.open(tmp_path) as rig:
        reply = await rig.source.fetch(rig.good)
        assert reply.documents
        assert reply.billed <= rig.source.max_price
        for document in reply.documents:
            assert document.url
            assert document.title
            assert document.text
            assert document.licence
            for found in document.fields:
                assert found.dataset in DATASETS
                assert found.quote
                assert found.quote in document.text


@every_rig
@pytest.mark.asyncio
async def test_a_fetch_makes_exactly_the_requests_it_is_allowed(rig_type: type[Rig], tmp_path: Path) -> None:
    async with rig_type.open(tmp_path) as rig:
        before = rig.good.model_dump_json()
        await rig.source.fetch(rig.good)
        assert rig.requests == rig.requests_per_fetch
        assert rig.good.model_dump_json() == before


@every_rig
@pytest.mark.asyncio
async def test_finding_nothing_is_an_answer_and_not_an_error(rig_type: type[Rig], tmp_path: Path) -> None:
    async with rig_type.open(tmp_path) as rig:
        rig.behave("empty")
        reply = await rig.source.fetch(rig.good)
        assert reply.documents == ()
        assert 0 <= reply.billed <= rig.source.max_price


@pytest.mark.parametrize(("rig_type", "failing"), FAILURES)
@pytest.mark.asyncio
async def test_a_failure_has_its_kind_and_says_what_was_spent(
    rig_type: type[Rig], failing: Failing, tmp_path: Path, nothing_raised_later: None
) -> None:
    async with rig_type.open(tmp_path) as rig:
        rig.behave(failing.behaviour)
        with pytest.raises(SourceError) as caught:
            await rig.source.fetch(rig.good)
        assert caught.value.kind is failing.kind
        spent: dict[str, int | None] = {"nothing": 0, "unknown": None, "price": rig.source.max_price}
        assert caught.value.billed == spent[failing.spent]
        assert caught.value.message.strip()
        assert min(1, rig.requests_per_fetch) <= rig.requests <= rig.most_requests


@pytest.mark.parametrize(("rig_type", "failing"), FAILURES)
@pytest.mark.asyncio
async def test_no_failure_shows_the_key(
    rig_type: type[Rig], failing: Failing, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    async with rig_type.open(tmp_path) as rig:
        if not rig.secret:
            pytest.skip("this source has no key")
        rig.behave(failing.behaviour)
        with pytest.raises(SourceError) as caught:
            await rig.source.fetch(rig.good)
        shown = (
            _chain(caught.value) + caplog.text + "".join(capfd.readouterr()) + repr(rig.source) + repr(rig.source.env)
        )
        for form in {rig.secret, quote(rig.secret, safe=""), quote_plus(rig.secret)}:
            assert form not in shown


def _chain(error: BaseException) -> str:
    """All that is said by an exception and by what hangs on it, also where `from None` hides it from a traceback."""
    said: list[str] = []
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if one is not None:
            said += [repr(one), str(one), repr(vars(one)), *traceback.format_exception(one)]
            todo += [one.__cause__, one.__context__]
    return "\n".join(said)


@every_rig
@pytest.mark.asyncio
async def test_a_call_cancelled_half_way_leaves_nothing_that_is_raised_later(
    rig_type: type[Rig], tmp_path: Path, nothing_raised_later: None
) -> None:
    async with rig_type.open(tmp_path) as rig:
        if not rig.hangs:
            pytest.skip("a call to this source cannot hang")
        complaints: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        rig.behave(rig.hangs)
        call = asyncio.create_task(rig.source.fetch(rig.good))
        await asyncio.to_thread(rig.wait_for_request)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.to_thread(rig.let_go)
        await asyncio.sleep(0)  # what the thread handed to the loop runs now
        assert complaints == []


@every_rig
@pytest.mark.asyncio
async def test_calls_side_by_side_do_not_mix_their_answers(rig_type: type[Rig], tmp_path: Path) -> None:
    async with rig_type.open(tmp_path) as rig:
        alone = await rig.source.fetch(rig.good)
        together = await asyncio.gather(*(rig.source.fetch(rig.good) for _ in range(12)))
        assert all([d.text for d in reply.documents] == [d.text for d in alone.documents] for reply in together)


@every_rig
@pytest.mark.asyncio
async def test_the_same_call_twice_is_answered_from_the_cache_the_second_time(
    rig_type: type[Rig], tmp_path: Path
) -> None:
    async with rig_type.open(tmp_path) as rig, house(tmp_path / "house", rig.source) as services:
        if not rig.requests_per_fetch:
            pytest.skip("this source asks nobody")
        bought = []
        for run in ("first", "second"):
            money = await budgets(services, 1_000_000, run_id=run)
            order = Call(
                call_id=f"call-{run}",
                source=rig.source.name,
                args=rig.good.model_dump(mode="json"),
                datasets=tuple(rig.source.datasets),
                max_price=rig.source.max_price,
                max_age=DAY,
            )
            bought.append(await buy(services, scope(run), order, money))
        first, second = bought
        assert (first.status, second.status) == (CallStatus.OK, CallStatus.OK)
        assert (first.cached, second.cached) == (False, True)
        assert second.reply == first.reply
        assert (second.cost, second.saved) == (0, first.cost)
        assert rig.requests == rig.requests_per_fetch


@every_rig
@pytest.mark.asyncio
async def test_the_cache_salt_is_a_text_that_stays_while_nothing_changes(rig_type: type[Rig], tmp_path: Path) -> None:
    async with rig_type.open(tmp_path) as rig:
        first, second = await rig.source.cache_salt(rig.good), await rig.source.cache_salt(rig.good)
        assert isinstance(first, str)
        assert first == second
        assert isinstance(rig.good, BaseModel)
