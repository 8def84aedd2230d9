"""The documentation names everything there is, is not out of date, and leads nowhere that is not there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.errors import all_errors
from agent.settings import Settings
from cli import dossier
from scripts import make_docs
from server import create_app
from tools.base import FailureKind, discover

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = sorted([README, *DOCS.rglob("*.md")])
HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("crates", "io"),
        ("golang", "org"),
        ("hex", "pm"),
        ("rubygems", "org"),
        ("anaconda", "org"),
        ("huggingface", "co"),
    )
]
"""Hosts of package registries; in two parts, so that this file does not name them either."""

every_page = pytest.mark.parametrize("page", PAGES, ids=[str(p.relative_to(ROOT)) for p in PAGES])


def page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def names(text: str, *words: str) -> list[str]:
    """Those of `words` that `text` does not name in code type."""
    return [w for w in words if f"`{w}`" not in text]


# --- everything is named -----------------------------------------------------------------------------------


def test_every_setting_is_documented() -> None:
    assert names(page("settings.md"), *(Settings.env_name(n) for n in Settings.model_fields)) == []


def test_every_secret_setting_is_marked() -> None:
    rows = [line for line in page("settings.md").splitlines() if "_API_KEY`" in line]
    assert len(rows) == 2
    assert all("**Secret.**" in row for row in rows)


def test_every_error_code_is_documented() -> None:
    assert names(page("errors.md"), *(e.code for e in all_errors())) == []


def test_every_way_in_which_a_source_can_fail_is_documented() -> None:
    assert set(make_docs.FAILURES) == set(FailureKind)
    assert names(page("errors.md"), *FailureKind) == []


def test_every_event_type_is_documented() -> None:
    types = [str(e.model_fields["type"].default) for e in make_docs.event_classes()]
    assert sorted(make_docs.WHEN) == sorted(types)
    assert names(page("events.md"), *types) == []


def test_every_route_is_documented() -> None:
    paths = create_app(Settings(engine="extractive")).openapi()["paths"]
    routes = [f"{method.upper()} {path}" for path, operations in paths.items() for method in operations]
    assert routes
    assert names(page("http-api.md"), *routes) == []


def test_every_command_is_documented_with_an_example() -> None:
    by_hand = page("cli.md").partition("## Every command")[0]
    assert [c for c in dossier.commands if f"`dossier {c}" not in by_hand] == []
    assert [c for c in dossier.commands if f"### dossier {c}\n" not in page("cli.md")] == []


def test_every_source_is_documented() -> None:
    assert names(page("sources.md"), *(kind.name for kind in discover())) == []


def test_the_index_names_every_page() -> None:
    index = page("README.md")
    assert [p.name for p in DOCS.glob("*.md") if p.name != "README.md" and f"({p.name})" not in index] == []


def test_decisions_have_an_index_that_names_them_all() -> None:
    index = page("decisions/README.md")
    found = [p.name for p in (DOCS / "decisions").glob("*.md") if p.name != "README.md"]
    assert [name for name in found if f"({name})" not in index] == []


# --- nothing is out of date --------------------------------------------------------------------------------


def test_every_generated_part_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert make_docs.main(["--check"]) == 0, capsys.readouterr().out


def test_a_stale_part_is_found_and_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_docs, "PARTS", {"formats": make_docs.formats})
    made = tmp_path / "documents.md"
    made.write_text("By hand.\n<!-- generated: formats -->\nold\n<!-- end -->\nBy hand too.\n")
    assert make_docs.main(["--check"], tmp_path) == 1
    assert "old" in made.read_text()
    assert make_docs.main([], tmp_path) == 0
    assert make_docs.main(["--check"], tmp_path) == 0
    text = made.read_text()
    assert "old" not in text
    assert text.startswith("By hand.\n")
    assert text.endswith("By hand too.\n")


def test_a_part_that_no_page_has_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_docs, "PARTS", {"formats": make_docs.formats})
    (tmp_path / "documents.md").write_text("Nothing generated here.\n")
    assert make_docs.main(["--check"], tmp_path) == 1


def test_the_example_source_of_the_documentation_passes_the_conformance_suite(tmp_path: Path) -> None:
    examples = re.findall(r"<!-- example: (\S+) -->\n```python\n(.*?)```", page("sources.md"), re.DOTALL)
    assert [name for name, _ in examples] == ["tools/wiki_summary.py", "tests/standins/rig_wiki_summary.py"]
    skip = shutil.ignore_patterns("__pycache__")
    for folder in ("agent", "tools"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=skip)
    shutil.copytree(ROOT / "tests" / "standins", tmp_path / "tests" / "standins", ignore=skip)
    for name in ("tests/__init__.py", "tests/house.py", "tests/test_source_conformance.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name, code in examples:
        (tmp_path / name).write_text(code, "utf-8")
    command = [sys.executable, "-m", "pytest", "tests/test_source_conformance.py", "-k", "wiki_summary", "-p"]
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([*command, "no:cacheprovider"], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3_000:]
    assert re.search(r"\b[4-9]\d passed", done.stdout), done.stdout


# --- nothing leads astray ----------------------------------------------------------------------------------


def prose(text: str) -> str:
    """The text without its code blocks."""
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The anchors that a page's headings get on GitHub."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)|`", r"\1", heading).strip().lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


@every_page
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page.read_text("utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors(there.read_text("utf-8"))):
            broken.append(target)
    assert broken == []


@every_page
def test_no_page_names_a_package_registry(page: Path) -> None:
    text = page.read_text("utf-8").lower()
    assert [host for host in HOSTS if host in text] == []


@every_page
def test_no_page_names_a_path_of_somebodys_machine(page: Path) -> None:
    assert re.findall(r"(?:/work/|/home/|/root/|/Users/|/tmp/)\S*", page.read_text("utf-8")) == []


@every_page
def test_every_variable_that_a_page_names_exists(page: Path) -> None:
    known = {Settings.env_name(name) for name in Settings.model_fields}
    named = set(re.findall(r"\b(?:DOSSIER|OPENAI|SERPAPI)_[A-Z_]+\b", page.read_text("utf-8")))
    assert named - known == set()


@every_page
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z][a-z-]*)", page.read_text("utf-8"), re.MULTILINE))
    assert named - targets == set()


def test_the_readme_names_the_two_commands_and_stays_short() -> None:
    text = README.read_text("utf-8")
    assert re.search(r"^make run$", text, re.MULTILINE)
    assert re.search(r"^make test$", text, re.MULTILINE)
    assert len(text.splitlines()) < 200
