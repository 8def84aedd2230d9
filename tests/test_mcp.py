"""MCP servers as sources: real servers over stdio and HTTP, declared in a file, called through the door that holds the money."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.calls import buy
from agent.errors import ConfigError
from agent.records import Call, CallStatus
from agent.services import Services, open_services, survey
from agent.settings import Settings
from tests.house import DAY, budgets, scope
from tests.serving import ROOT, until
from tools.base import FailureKind, SourceError, SubjectHint
from tools.mcp import arguments_model

TOKEN = "planted-CRM-token-0123456789"
SNOWFLAKE = SubjectHint(name="Snowflake", domain="snowflake.com")

FILE = """
[servers.crm]
transport = "stdio"
command = "{python}"
args = ["-m", "tests.standins.mcp_server"]
env = {{ PYTHONPATH = "{root}", CRM_LOG = "{log}", CRM_TOKEN = "${{CRM_TOKEN}}" }}

[servers.crm.tools.search_accounts]
price = 0.01
datasets = {{ customers = 0.5, profile = 0.4 }}
arguments = {{ query = "{{name}}", limit = 3 }}

[servers.crm.tools.notes]
price = 0
datasets = {{ customers = 0.5 }}
arguments = {{ company = "{{name}} at {{domain}}" }}

[servers.crm.tools.fails]
price = 0.02
datasets = {{ customers = 0.5 }}

[servers.crm.tools.hangs]
price = 0.02
datasets = {{ customers = 0.5 }}
timeout = 0.5

[servers.crm.tools.gone_since]
price = 0.02
datasets = {{ customers = 0.5 }}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file that names one stdio server."""
    monkeypatch.setenv("CRM_TOKEN", TOKEN)
    path = tmp_path / "mcp.toml"
    path.write_text(FILE.format(python=sys.executable, root=ROOT, log=tmp_path / "crm.log"))
    return path


def settings(file: Path, folder: Path) -> Settings:
    return Settings(
        _env_file=None,
        data_dir=folder / "data",
        starter_library=False,
        engine="extractive",
        offline=True,
        mcp_servers=file,
    )


async def opened(file: Path, folder: Path) -> Services:
    return await open_services(settings(file, folder))


def asked(folder: Path) -> list[str]:
    log = folder / "crm.log"
    return log.read_text().splitlines() if log.exists() else []


def call(source: str, args: dict[str, str | int], id: str = "c1") -> Call:
    return Call(call_id=id, source=source, args=dict(args), datasets=("customers",), max_price=20_000, max_age=DAY)


async def test_declared_tools_become_sources_and_nothing_else_does(file: Path, tmp_path: Path) -> None:
    services = await opened(file, tmp_path)
    try:
        mine = {n for n in services.sources if n.startswith("crm")}
        assert mine == {"crm_search_accounts", "crm_notes", "crm_fails", "crm_hangs", "crm_gone_since"}
        assert services.sources["crm_search_accounts"].max_price == 10_000
        assert "has no tool gone_since" in services.off["crm_gone_since"]
    finally:
        await services.close()


async def test_a_call_is_paid_once_and_answered_from_the_cache_the_second_time(file: Path, tmp_path: Path) -> None:
    services = await opened(file, tmp_path)
    try:
        money = await budgets(services)
        first = await buy(services, scope(), call("crm_search_accounts", {"query": "Snowflake"}), money)
        second = await buy(services, scope(), call("crm_search_accounts", {"query": "Snowflake"}, "c2"), money)
        assert (first.status, first.cost, second.cached, second.cost) == (CallStatus.OK, 10_000, True, 0)
        assert asked(tmp_path) == ["search_accounts Snowflake"]
        (document,) = first.reply.documents
        assert document.url == "https://crm.example/accounts/7"
        assert document.text.startswith("Snowflake renewed")
        assert document.published_at is not None
        assert document.published_at.date().isoformat() == "2026-11-01"
        assert (await services.ledger.budget(money[0])).spent == 10_000
    finally:
        await services.close()


async def test_a_text_is_taken_as_it_stands_and_an_empty_list_is_nothing_found(file: Path, tmp_path: Path) -> None:
    services = await opened(file, tmp_path)
    try:
        money = await budgets(services)
        said = await buy(services, scope(), call("crm_notes", {"company": "Acme"}), money)
        none = await buy(services, scope(), call("crm_search_accounts", {"query": "nobody"}, "c2"), money)
        assert said.reply.documents[0].text == "Acme is a customer of ours since 2021."
        assert said.reply.documents[0].published_at is None
        assert none.status is CallStatus.NO_RESULTS
    finally:
        await services.close()


async def test_a_tool_that_ends_in_an_error_counts_its_hold_and_shows_no_secret(file: Path, tmp_path: Path) -> None:
    services = await opened(file, tmp_path)
    try:
        money = await budgets(services)
        bought = await buy(services, scope(), call("crm_fails", {"query": "x"}), money)
        assert bought.failure is FailureKind.MALFORMED
        assert "no such account" in bought.message
        assert TOKEN not in bought.message
        assert (await services.ledger.budget(money[0])).spent == 20_000  # nobody knows whether it was charged
        slow = await buy(services, scope(), call("crm_hangs", {"query": "x"}, "c2"), money)
        assert slow.failure is FailureKind.TIMEOUT
    finally:
        await services.close()


async def test_suggestions_are_filled_in_and_left_out_where_something_is_missing(file: Path, tmp_path: Path) -> None:
    services = await opened(file, tmp_path)
    try:
        notes, search = services.sources["crm_notes"], services.sources["crm_search_accounts"]
        assert [a.model_dump() for a in search.suggest(SNOWFLAKE, "profile", "?")] == [
            {"query": "Snowflake", "limit": 3}
        ]
        assert [a.model_dump() for a in notes.suggest(SNOWFLAKE, "customers", "?")] == [
            {"company": "Snowflake at snowflake.com"}
        ]
        assert notes.suggest(SubjectHint(name="Acme"), "customers", "?") == ()
        assert search.suggest(SNOWFLAKE, "hiring", "?") == ()
        with pytest.raises(ValidationError):
            search.Args.model_validate({"query": 7})
    finally:
        await services.close()


def test_the_chat_model_is_shown_the_servers_own_schema() -> None:
    schema = {"type": "object", "properties": {"q": {"type": "string", "description": "words"}}, "required": ["q"]}
    shown = arguments_model(schema).model_json_schema()
    assert shown["properties"] == schema["properties"]
    assert shown["additionalProperties"] is False


@pytest.fixture
def web_server(tmp_path: Path) -> Iterator[int]:
    """The same server over HTTP, in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "tests.standins.mcp_server", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, env={"CRM_LOG": str(tmp_path / "crm.log")}) as process:
        try:
            until(lambda: _listens(port), "the MCP server")
            yield port
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


WEB = """
[servers.crm]
transport = "streamable_http"
url = "http://127.0.0.1:{port}/mcp"
headers = {{ Authorization = "Bearer ${{CRM_TOKEN}}" }}
[servers.crm.tools.search_accounts]
price = 0.0
datasets = {{ customers = 0.5 }}
"""


async def test_a_server_over_http_works_the_same(
    web_server: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_TOKEN", TOKEN)
    path = tmp_path / "mcp.toml"
    path.write_text(WEB.format(port=web_server))
    services = await opened(path, tmp_path)
    try:
        bought = await buy(
            services, scope(), call("crm_search_accounts", {"query": "Snowflake"}), await budgets(services)
        )
        assert bought.status is CallStatus.OK
        assert TOKEN not in repr(services.mcp["crm"].tools)
        assert TOKEN not in services.scrub(f"header {TOKEN}")
    finally:
        await services.close()


async def test_a_server_that_is_down_leaves_its_sources_off_and_the_house_standing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_TOKEN", TOKEN)
    path = tmp_path / "mcp.toml"
    path.write_text(WEB.format(port=9))
    services = await opened(path, tmp_path)
    try:
        assert "DOSSIER_MCP_SERVERS" in services.off["crm_search_accounts"]
        with pytest.raises(SourceError):
            await services.sources["crm_search_accounts"].fetch(arguments_model({})())
    finally:
        await services.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[servers.crm", "no TOML"),
        ('[servers.crm]\ntransport = "smoke"\n[servers.crm.tools.x]\nprice=1\ndatasets={news=0.5}', "servers.crm.transport"),
        ('[servers.crm]\ntransport = "stdio"\n[servers.crm.tools.x]\nprice=1\ndatasets={news=0.5}', "needs a command"),
        ('[servers.crm]\ntransport = "stdio"\ncommand="x"\n[servers.crm.tools.x]\ndatasets={news=0.5}', "price"),
        ('[servers.crm]\ntransport = "stdio"\ncommand="x"\n[servers.crm.tools.x]\nprice=1\ndatasets={nwes=0.5}', "'nwes'"),
        ('[servers.crm]\ntransport = "sse"\nurl="${NOT_SET}"\n[servers.crm.tools.x]\nprice=1\ndatasets={news=0.5}', "NOT_SET"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_named(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "mcp.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="DOSSIER_MCP_SERVERS") as caught:
        survey(settings(path, tmp_path), None)
    assert said in caught.value.message
