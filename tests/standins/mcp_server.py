"""An MCP server of a made-up CRM, over stdio or streamable HTTP: `python -m tests.standins.mcp_server [--port N]`.

Each call is noted as a line in the file that `CRM_LOG` names.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

from mcp.server.fastmcp import FastMCP

crm = FastMCP("crm", log_level="ERROR")


def _note(line: str) -> None:
    if path := os.environ.get("CRM_LOG"):
        with Path(path).open("a") as log:
            log.write(f"{line}\n")


@crm.tool()
def search_accounts(query: str, limit: int = 5) -> list[dict[str, str]]:
    """Finds accounts by name."""
    _note(f"search_accounts {query}")
    if query == "nobody":
        return []
    return [
        {
            "title": "Snowflake account",
            "text": "Snowflake renewed its contract with us. Snowflake has 7,834 employees.",
            "url": "https://crm.example/accounts/7",
            "date": "2026-11-01",
        }
    ]


@crm.tool()
def notes(company: str) -> str:
    """Free-text notes."""
    _note(f"notes {company}")
    return f"{company} is a customer of ours since 2021."


@crm.tool()
def fails(query: str) -> str:
    """Always ends in an error."""
    _note("fails")
    raise ValueError(f"no such account; token {os.environ.get('CRM_TOKEN', '')} rejected")


@crm.tool()
async def hangs(query: str) -> str:
    """Never answers."""
    _note("hangs")
    await asyncio.Event().wait()
    return ""


@crm.tool()
def drop_everything(query: str) -> str:
    """What nobody has priced must never be called."""
    _note("drop_everything")
    return "gone"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    if given.port:
        crm.settings.port = given.port
        crm.run("streamable-http")
    else:
        crm.run("stdio")
