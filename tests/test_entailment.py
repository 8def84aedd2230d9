"""A model that has the last word on each fact: it can take sentences away, and never adds one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.errors import ConfigError
from agent.records import Brief
from agent.runs import Runs
from tests.house import fake, house, whole_profile


class Sceptic:
    """Believes nothing about employees."""

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[str, ...], str]] = []

    def entails(self, quotes: Sequence[str], sentence: str) -> float:
        self.asked.append((tuple(quotes), sentence))
        return 0.1 if "employees" in sentence else 0.9


class NoModel:
    """Lacks the one method."""


async def answered(folder: Path, **settings: Any) -> Brief:
    async with house(folder, fake("web", answer=whole_profile()), **settings) as services, Runs(services) as runs:
        thread = await runs.create_thread()
        asked = {"message": "Where is Snowflake headquartered?", "include_unverified": True}
        run = await runs.wait((await runs.start(thread.id, asked)).id)
    assert run.brief is not None
    return run.brief


async def test_what_the_model_does_not_find_entailed_is_not_said(tmp_path: Path) -> None:
    plain = await answered(tmp_path / "plain")
    judged = await answered(tmp_path / "judged", entailment="tests.test_entailment:Sceptic")
    counted = "Snowflake has 7,834 employees."
    assert counted in [c.text for c in plain.findings]
    assert [c.text for c in judged.unverified] == [counted]
    assert {c.text for c in judged.findings} == {c.text for c in plain.findings} - {counted}
    assert all(any(k.name == "entailment" and k.passed for k in c.checks) for c in judged.findings)
    assert not any(k.name == "entailment" for c in plain.findings for k in c.checks)


@pytest.mark.parametrize("name", ["nowhere.at:all", "tests.test_entailment:Missing", "tests.test_entailment:NoModel"])
async def test_a_name_that_gives_no_model_is_refused_at_the_start(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="DOSSIER_ENTAILMENT"):
        async with house(tmp_path, entailment=name):
            pass
