"""Pages that are remembered, and those that must not be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.web import memo as module
from tools.web.memo import Memo

URL, KIND = "https://example.com/", "text/html"
TAGGED = {"etag": '"1"', "content-type": "text/html", "x-other": "y"}


@pytest.fixture
def memo(tmp_path: Path) -> Memo:
    return Memo(tmp_path / "pages", lambda text: text.replace("planted-key", "[secret]"))


def test_a_page_with_a_validator_is_remembered_with_its_type(memo: Memo) -> None:
    memo.put(URL, KIND, TAGGED, b"body")
    found = memo.get(URL, KIND)
    assert found is not None
    assert (found.body, found.headers) == (b"body", {"etag": '"1"', "content-type": "text/html"})
    assert found.conditions() == {"If-None-Match": '"1"'}
    assert memo.get(URL, "application/json") is None


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": "text/html"}, b"no validator"),
        ({**TAGGED, "cache-control": "max-age=0, No-Store"}, b"not to be stored"),
        (TAGGED, b"with the planted-key in it"),
        ({"etag": '"planted-key"'}, b"a key in the header"),
        (TAGGED, b"x" * (module.LARGEST + 1)),
        ({"etag": '"\u00e9"'}, b"a validator that cannot be sent"),
        ({"last-modified": "yester\nday"}, b"a validator that must not be sent"),
    ],
)
def test_nothing_of_these_is_written(memo: Memo, tmp_path: Path, headers: dict[str, str], body: bytes) -> None:
    memo.put(URL, KIND, headers, body)
    assert memo.get(URL, KIND) is None
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


@pytest.mark.parametrize(
    "damage", [b"", b"{}\n", b"[1]\nx", b"null\n", b'{"etag": 7}\n', b'{"etag": "\xff"}\nx', b"\x00" * 50]
)
def test_a_damaged_file_is_a_page_that_is_not_remembered(memo: Memo, tmp_path: Path, damage: bytes) -> None:
    memo.put(URL, KIND, TAGGED, b"body")
    (path,) = (tmp_path / "pages").iterdir()
    _, _, packed = path.read_bytes().partition(b"\n")
    for written in (damage, damage + packed):
        path.write_bytes(written)
        found = memo.get(URL, KIND)
        assert found is None or found.conditions()


def test_the_oldest_pages_go_when_there_are_too_many(memo: Memo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 20)
    for n in range(100):
        memo.put(f"{URL}{n}", KIND, TAGGED, b"body")
    kept = [n for n in range(100) if memo.get(f"{URL}{n}", KIND) is not None]
    assert 15 <= len(kept) <= 20
    assert 99 in kept


def test_a_page_that_is_written_often_pushes_nothing_out(memo: Memo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 20)
    for n in range(10):
        memo.put(f"{URL}{n}", KIND, TAGGED, b"body")
    for _ in range(100):
        memo.put(URL, KIND, TAGGED, b"again")
    assert all(memo.get(f"{URL}{n}", KIND) is not None for n in range(10))


def test_a_folder_that_cannot_be_written_costs_the_condition_only(tmp_path: Path) -> None:
    tmp_path.joinpath("pages").write_text("a file")
    memo = Memo(tmp_path / "pages")
    memo.put(URL, KIND, TAGGED, b"body")
    assert memo.get(URL, KIND) is None
