"""Keys are said back by everything that is asked, and reach no log, event, answer, file or third party."""

from __future__ import annotations

import base64
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.proofs.secrets import ECHOES, Key, Search, Seeker, plant, search, search_of_a_talkative_model


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Search:
    return search(tmp_path_factory.mktemp("secrets"))


@pytest.mark.timeout(300)
def test_no_key_is_found_where_it_does_not_belong(searched: Search) -> None:
    assert searched.found == []


def test_every_kind_of_place_was_searched(searched: Search) -> None:
    kinds = ("log", "event", "answer", "file", "cell", "sent to the search", "sent to the model")
    assert set(searched.kinds) == set(kinds)
    assert searched.kinds["event"] > 10 * len(ECHOES)
    assert searched.places > 1_000


@pytest.mark.timeout(300)
def test_a_model_that_writes_its_own_key_is_not_repeated(tmp_path: Path) -> None:
    assert search_of_a_talkative_model(tmp_path).found == []


@pytest.mark.parametrize("around", [b"", b"a", b"ab", b"abc"])
def test_the_search_finds_a_key_however_it_is_spelt(around: bytes) -> None:
    key = plant("control")
    spellings = [
        key.whole,
        key.core,
        quote(key.whole, safe=""),
        base64.b64encode(around + key.whole.encode() + around).decode(),
        base64.urlsafe_b64encode(around + key.core.encode()).decode(),
        key.whole.encode().hex(),
    ]
    for spelt in spellings:
        seeker = Seeker((key,))
        seeker.look("log", "", f"x{spelt}y")
        assert seeker.found, spelt


def test_the_search_finds_a_key_in_a_cell_and_in_a_file(tmp_path: Path) -> None:
    key = plant("control")
    with closing(sqlite3.connect(tmp_path / "x.db")) as store:
        store.execute("create table t (body blob)")
        store.execute("insert into t values (?)", (b"\0" * 20_000 + key.whole.encode() + b"\0" * 20_000,))
        store.commit()
    (tmp_path / "note").write_text(key.whole)
    seeker = Seeker((key, Key("other", "other-core")))
    seeker.folder(tmp_path)
    assert "cell x.db t" in seeker.found
    assert "file note" in seeker.found
