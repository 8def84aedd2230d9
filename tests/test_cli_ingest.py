"""`dossier ingest` through its front door: what it says of files that went, and of what it erases."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import dossier


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOSSIER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    made = tmp_path / "notes"
    made.mkdir()
    (made / "zinc.md").write_text("Zinc is traded in London.")
    (made / "tin.md").write_text("Tin is traded in Penang.")
    return made


def run(*args: str) -> tuple[int, str]:
    """Exit code and output of `dossier ...`."""
    done: Result = CliRunner().invoke(dossier, args, standalone_mode=False)
    assert done.exception is None, done.output
    return int(done.return_value or 0), done.output


def test_a_file_that_went_is_named_and_counted(folder: Path) -> None:
    assert run("ingest", "notes")[0] == 0
    (folder / "zinc.md").unlink()
    code, said = run("ingest", "notes")
    assert code == 0
    assert "zinc.md: is there no longer; 1 document taken out of the index" in said
    assert "1 unchanged, 1 no longer there" in said


def test_remove_prints_what_went(folder: Path) -> None:
    run("ingest", "notes")
    code, said = run("ingest", "--remove", "notes/zinc.md")
    assert code == 0
    assert "zinc.md: 1 document erased" in said
    assert "tin.md" not in said
    assert (folder / "zinc.md").exists()


def test_a_folder_is_removed_file_by_file(folder: Path) -> None:
    run("ingest", "notes")
    code, said = run("ingest", "--remove", "notes")
    assert code == 0
    assert "2 documents erased from 2 places" in said
    assert run("ingest", "--remove", "notes")[0] == 1


def test_a_name_that_is_not_known_is_said_to_be_so(folder: Path) -> None:
    run("ingest", "notes")
    code, said = run("ingest", "--remove", "notes/zinc.md", "notes/lead.md")
    assert code == 3
    assert "notes/lead.md: nothing is stored of it" in said
    assert run("ingest", "--remove", "nothing")[0] == 1
