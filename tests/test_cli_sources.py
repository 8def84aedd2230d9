"""`dossier sources --stats`: what was declared of a source beside what experience has made of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import dossier


def said(*args: str) -> str:
    done = CliRunner().invoke(dossier, args, standalone_mode=False)
    assert done.exception is None, done.output
    return " ".join(done.output.split())


def test_experience_stands_beside_the_prior_once_there_is_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"DATA_DIR": str(tmp_path / "data"), "OFFLINE": "true", "ENGINE": "extractive"}.items():
        monkeypatch.setenv(f"DOSSIER_{name}", value)
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.chdir(tmp_path)
    assert "→" not in said("sources", "--stats")
    said("ask", "Who leads Snowflake?", "--json")
    told = said("sources", "--stats")
    assert "leadership 0.50→0.55 (1)" in told, "one call of documents, which filled it: (10 * 0.5 + 1) / 11"
    assert "serpapi_news 0 0.05" in told
