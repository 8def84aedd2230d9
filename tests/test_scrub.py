"""No secret leaves in a message, a log line or a traceback, and ordinary words stay as they are."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from pydantic import BaseModel

from agent.scrub import HIDDEN, Scrubber, ScrubbingFilter, set_up_logging

SECRETS = ("plain-5d1c0a77", 'pla"nt/ed +k\\ey', "geheim-schlüssel-ß", "a&b<c>d=e%f", "aB/cD:eF1")


# --- secrets in force ------------------------------------------------------------------------------------------------


def forms(secret: str) -> Iterator[str]:
    """The ways in which a secret turns up in a text that was made by a program."""
    yield secret
    yield quote(secret, safe="")
    yield quote(secret)
    yield quote_plus(secret)
    yield re.sub("%..", lambda m: m[0].lower(), quote(secret, safe=""))
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    yield escape(secret)


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_in_force_is_hidden_in_every_encoding(secret: str) -> None:
    scrub = Scrubber([secret])
    for form in forms(secret):
        for clean in (scrub.known(f"before {form} after"), scrub(f"before {form} after")):
            assert clean == f"before {HIDDEN} after", form


def test_of_two_secrets_the_longer_is_hidden_whole() -> None:
    scrub = Scrubber(["planted", "planted-and-longer"])
    assert scrub("x planted-and-longer y planted z") == f"x {HIDDEN} y {HIDDEN} z"


def test_a_secret_is_hidden_wherever_it_stands_and_however_often() -> None:
    text = "k=planted1&k=planted1,planted1planted1"
    assert "planted1" not in Scrubber(["planted1"])(text)


def test_a_secret_of_three_letters_would_hide_ordinary_words_and_is_left_alone() -> None:
    assert Scrubber(["the", ""]).known("the word") == "the word"


def test_content_loses_nothing_but_the_secrets_in_force() -> None:
    text = "token=abcdefgh is what the article prints; Bearer abcdefgh too; planted1 is ours."
    assert Scrubber(["planted1"]).known(text) == text.replace("planted1", HIDDEN)


# --- lookalikes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "api_key=VALUE01",
        "https://x.example/?q=1&api_key=VALUE01&z=2",
        "SERPAPI_API_KEY=VALUE01",
        "OPENAI_API_KEY: VALUE01",
        "client_secret=VALUE01",
        "refresh_token = 'VALUE01'",
        '{"api_key": "VALUE01"}',
        '{"apiKey":"VALUE01"}',
        "X-Api-Key: VALUE01",
        "access_token=VALUE01",
        "password: VALUE01",
        "Authorization: Bearer VALUE01",
        "Authorization: Basic VALUE01",
        "authorization=VALUE01",
        "sent Bearer VALUE01 along",
        "https://user:VALUE01@proxy.example/v1",
        "postgres://me:VALUE01@db/x",
    ],
)
def test_the_value_of_anything_named_like_a_key_is_hidden_whoever_it_belongs_to(text: str) -> None:
    clean = Scrubber()(text)
    assert "VALUE01" not in clean
    before, after = text.split("VALUE01")
    assert clean == f"{before}{HIDDEN}{after}"


def test_a_key_of_a_known_shape_is_hidden_without_a_name() -> None:
    key = "sk-proj-abcdefghijklmnop1234"
    assert Scrubber()(f"Incorrect API key provided: {key}.") == f"Incorrect API key provided: {HIDDEN}."


@pytest.mark.parametrize(
    "text",
    [
        "It writes 80 tokens per second.",
        "The secret of its growth is pricing.",
        "Passwords are managed by Okta; authorization is a separate product.",
        "The key to success: talk to customers.",
        "Token prices fell by 12% in 2025.",
        "A bearer of news.",
        "Ask for a task-based plan, e.g. sk-learn.",
        "See https://example.com:8080/path?x=1 and mail a@example.com at 10:30.",
        "The run was over before this call was made: nothing was spent.",
        "Monkey business: donkey=grey",
    ],
)
def test_ordinary_words_stay_as_they_are(text: str) -> None:
    assert Scrubber()(text) == text


@pytest.mark.timeout(60)  # read again and again, one of these would take hours
@pytest.mark.parametrize("head", ["", "token=", "api_key", "authorization:", "bearer", "://", "sk-", '"secret"'])
@pytest.mark.parametrize(
    "unit", ["token ", "token=", "bearer ", "authorization: bearer ", "api_key", "://a:", "a:b", " ", "%"]
)
def test_a_long_text_is_read_in_a_time_that_grows_with_its_length_only(head: str, unit: str) -> None:
    assert Scrubber(["planted1"])(head + unit * 60_000 + " planted1").endswith(HIDDEN)


@pytest.mark.parametrize("text", ["token=planted1", "Authorization: Bearer planted1.", "token=abcdefgh", "k=planted1]"])
def test_what_is_clean_already_stays_as_it_is(text: str) -> None:
    scrub = Scrubber(["planted1"])
    once = scrub(text)
    assert scrub(once) == once
    assert once.count("[") == once.count(HIDDEN) == 1


# --- logging ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What a handler behind the filter writes."""
    said: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(self.format(record))

    handler = Keep()
    handler.addFilter(ScrubbingFilter(Scrubber(["planted1"])))
    log = logging.getLogger("tests.scrub")
    log.addHandler(handler)
    yield said
    log.removeHandler(handler)


log = logging.getLogger("tests.scrub")


def test_a_log_line_is_clean_whether_the_secret_is_in_its_words_or_its_arguments(lines: list[str]) -> None:
    log.warning("planted1 and %s and %r and token=%s", "planted1", {"key": ["planted1"]}, "abcdefgh")
    assert lines == [f"{HIDDEN} and {HIDDEN} and {{'key': ['{HIDDEN}']}} and token={HIDDEN}"]


def test_a_traceback_is_clean_down_to_its_first_cause(lines: list[str]) -> None:
    try:
        try:
            raise ValueError("with planted1 inside")
        except ValueError as exc:
            raise RuntimeError("https://x.example/?api_key=abcdefgh") from exc
    except RuntimeError:
        log.exception("it broke")
    assert "Traceback" in lines[0]
    assert "planted1" not in lines[0]
    assert "abcdefgh" not in lines[0]


def test_a_stack_that_is_logged_is_clean(lines: list[str]) -> None:
    log.warning("here", stack_info=bool("planted1"))
    assert "Stack" in lines[0]
    assert "planted1" not in lines[0]


def test_a_line_that_does_not_fit_its_arguments_is_written_clean_and_fails_nobody(lines: list[str]) -> None:
    log.warning("%d of %d", "planted1")  # noqa: PLE1206
    assert len(lines) == 1
    assert "planted1" not in lines[0]
    assert HIDDEN in lines[0]


def test_percent_signs_that_come_out_of_the_arguments_are_not_read_again(lines: list[str]) -> None:
    log.warning("%s", "100 %s done %d")
    assert lines == ["100 %s done %d"]


def test_whatever_logger_speaks_its_lines_go_through_the_scrubber(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    chatty = {n: logging.getLogger(n).level for n in ("httpx", "urllib3", "openai")}
    try:
        set_up_logging("debug", Scrubber(["planted1"]))
        logging.getLogger("somebody.else").debug("GET /?k=%s", "planted1")
        logging.getLogger("httpx").info("HTTP Request: GET /?k=planted1")
        err = capsys.readouterr().err
        assert "planted1" not in err
        assert "somebody.else: GET /?k=[secret]" in err
        assert "HTTP Request" not in err
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        for name, was in chatty.items():
            logging.getLogger(name).setLevel(was)


# --- what may be stored ----------------------------------------------------------------------------------------------


class Reply(BaseModel):
    """Texts at every depth."""

    text: str
    deep: dict[str, list[str | int | None]]


def test_what_is_stored_keeps_its_shape_and_the_place_of_every_word() -> None:
    scrub = Scrubber(["text", "12345"])
    reply = Reply(text="text 12345 \ud83d end", deep={"text": ["a text", 12345, None]})
    clean = scrub.stored(reply)
    assert clean == Reply(text=f"{HIDDEN} {HIDDEN} ? end", deep={"text": [f"a {HIDDEN}", 12345, None]})
    assert Reply.model_validate_json(clean.model_dump_json()) == clean
