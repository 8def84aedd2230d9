"""What the bytes of a page mean."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tools.base import FailureKind, SourceError
from tools.web.page import Page, seconds_of


def paged(body: bytes, kind: str = "text/html") -> Page:
    return Page("https://example.com/", {"content-type": kind}, body)


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("Søren".encode(), "text/html", "Søren"),
        ("Søren".encode("latin-1"), "text/html; charset=ISO-8859-1", "Søren"),
        ("Søren".encode("utf-8-sig"), "text/html; charset=utf-8", "Søren"),
        ("Søren".encode(), 'text/html; charset="no-such"', "Søren"),
        ("日本".encode("shift_jis"), "text/html; charset='Shift_JIS'", "日本"),
        (b"S\xff", "text/html; charset=utf-8", "S\ufffd"),
        *(
            (rb"abc-\q", f"text/html; charset={c}", r"abc-\q")
            for c in "punycode idna unicode_escape hex undefined".split()
        ),
    ],
)
def test_a_page_is_read_in_the_charset_it_states_when_that_is_one(body: bytes, kind: str, text: str) -> None:
    assert paged(body, kind).text() == text


@pytest.mark.parametrize(
    "body",
    [
        rb'{"half": "\ud800 x", "list": ["\uDFFF"], "\ud801": {"deep": "\ud83d\ude00"}}',
        b'{"half": "\xed\xa0\x80"}',
        b'{"n": NaN, "i": [Infinity, -Infinity]}',
    ],
)
def test_what_json_holds_can_always_be_stored(body: bytes) -> None:
    stored = json.dumps(paged(body).json(), ensure_ascii=False, allow_nan=False).encode()
    assert b"\\ud83d" not in body or "\N{GRINNING FACE}".encode() in stored


@pytest.mark.parametrize(
    "body", [b"", b"{", b"<html>", b"\xff\xfe\xff", b"[" * 100_000, b"1" * 10_000, b'{"a": "\xff"}']
)
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        paged(body).json_object()
    assert caught.value.kind is FailureKind.MALFORMED


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("Sun, 22 Nov 2026 12:01:30 GMT", 90.0),
        ("Sunday, 22-Nov-26 12:01:30 GMT", 90.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("9" * 400, 366 * 86_400.0),
        *((odd, None) for odd in ("", "soon", "-1", "1.5", "²", "٣", "Mon, 01 Jan 99999999999 00:00:00 GMT")),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_never_an_error(value: str | None, seconds: float | None) -> None:
    assert seconds_of(value, datetime(2026, 11, 22, 12, tzinfo=UTC)) == seconds
