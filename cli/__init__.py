"""The command line. Commands read options and hand on; what they do is in the other files, imported when wanted."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

import click

from agent.errors import DossierError, InputError

if TYPE_CHECKING:
    from agent.settings import Settings

logger = logging.getLogger(__name__)

CODES = """\b
Exit codes of ask and resume:
  0  complete: answered, everything required reached its minimum
  1  failed: an error stood in the way
  2  usage: the question or an option cannot be served as it stands
  3  partial: findings, but the run stopped for another reason; or the
     deadline passed, or it was cancelled
  4  nothing found: a brief without findings
"""


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Sales research that shows its work, keeps its budget and cites its words.\n\n"
    'Begin with: dossier ask "Research Snowflake as a prospect for us". No key is needed; settings are read from the '
    "environment and from .env.\n\n" + CODES,
)
@click.version_option(package_name="dossier", message="%(prog)s %(version)s")
def dossier() -> None:
    """The group."""


@dossier.command(epilog=CODES)
@click.argument("question")
@click.option("--vendor", metavar="TEXT", help="Who sells what: `Name: offer`.")
@click.option("--persona", metavar="TEXT", help="Who will read the brief, for example `account executive`.")
@click.option(
    "--consumer", metavar="ID", help="Who the research is for, see `dossier consumers`.  [default: quick_chat]"
)
@click.option("--max-cost", metavar="USD", help="The most it may spend.  [default: the consumer type's]")
@click.option("--deadline", metavar="SECONDS", help="When to end with what there is.")
@click.option("--thread", metavar="ID", help="Follow up: go on with an earlier thread.")
@click.option("--include-unverified", is_flag=True, help="Show statements that failed a check, apart.")
@click.option("--json", "as_json", is_flag=True, help="Print the events, one JSON object a line, and nothing else.")
@click.option("--engine", type=click.Choice(["auto", "extractive"]), help="Language engine.  [default: as configured]")
def ask(
    question: str,
    vendor: str | None,
    persona: str | None,
    consumer: str | None,
    max_cost: str | None,
    deadline: str | None,
    thread: str | None,
    include_unverified: bool,
    as_json: bool,
    engine: str | None,
) -> int:
    """Ask a QUESTION about a company, watch the answer being made, and read the brief.

    Ctrl-C ends the run soon with what it has; a second one leaves at once, and `dossier resume` takes the run up.
    """
    settings = _settings(quiet=True, **({"engine": engine} if engine else {}))
    from cli import asking

    asked: dict[str, object] = {
        "message": question,
        "vendor": vendor,
        "persona": persona,
        "consumer_type": consumer,
        "max_cost": max_cost,
        "deadline": deadline,
        "include_unverified": include_unverified,
    }
    return asking.ask(settings, asked, thread, json=as_json)


@dossier.command(epilog=CODES)
@click.argument("run", required=False)
def resume(run: str | None) -> int:
    """Take up runs that a killed process left unfinished, and follow them (or only RUN)."""
    settings = _settings(quiet=True)
    from cli import asking

    return asking.resume(settings, run)


@dossier.command()
@click.argument("run")
@click.option("--json", "as_json", is_flag=True, help="Print the run as one JSON object.")
def show(run: str, as_json: bool) -> int:
    """The brief of RUN again."""
    settings = _settings(quiet=True)
    from cli import asking

    return asking.show_run(settings, run, json=as_json)


@dossier.command()
@click.argument("run")
def cancel(run: str) -> int:
    """End RUN soon, with what it has found so far, whichever process executes it."""
    settings = _settings(quiet=True)
    from cli import asking

    return asking.cancel(settings, run)


@dossier.command()
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many, the newest first."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def runs(limit: int, as_json: bool) -> int:
    """What was asked, how it ended, and what it cost."""
    settings = _settings(quiet=True)
    from cli import lists

    return lists.list_runs(settings, limit, as_json=as_json)


@dossier.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--remove", is_flag=True, help="Erase what came from these files or folders, or documents by their id, instead."
)
def ingest(paths: tuple[str, ...], remove: bool) -> int:
    """Put files, and the files in folders, into the local index. Unchanged ones are skipped; what is no longer in a
    folder leaves the index.

    Exits with 0, with 3 when some files could not be read (or nothing is stored of them), and with 1 when none could.
    """
    settings = _settings(quiet=True)
    from cli import ingesting

    return ingesting.remove(settings, paths) if remove else ingesting.ingest(settings, paths)


@dossier.command()
def consumers() -> int:
    """Consumer types: what each needs to know, how well, and for how much."""
    settings = _settings(quiet=True)
    from cli import lists

    return lists.list_consumers(settings)


@dossier.command()
@click.option("--stats", is_flag=True, help="What was declared of each source, and what experience has made of it.")
def sources(stats: bool) -> int:
    """Sources: what they serve, what they cost, and why those that are off are off."""
    settings = _settings(quiet=True)
    from cli import lists

    return lists.list_experience(settings) if stats else lists.list_sources(settings)


@dossier.command()
def doctor() -> int:
    """Check data folder, databases, port, engine and sources, and say what to do. Exits with 1 when anything is ✗."""
    from cli.doctor import doctor as examine

    return examine()


@dossier.command()
@click.option("--host", help="Address to bind to.  [default: DOSSIER_HOST or 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to bind to.  [default: DOSSIER_PORT or 8000]")
def serve(host: str | None, port: int | None) -> int:
    """Serve the HTTP API until told to stop."""
    given = {"host": host, "port": port}
    settings = _settings(quiet=False, **{k: v for k, v in given.items() if v is not None})
    from cli.serve import serve as run_server

    return run_server(settings)


def _settings(*, quiet: bool, **overrides: object) -> Settings:
    """The settings, with logging set up through the scrubber; quiet commands log warnings and errors only."""
    from agent.scrub import Scrubber, set_up_logging
    from agent.settings import load_settings

    settings = load_settings(**overrides)
    level = "warning" if quiet and settings.log_level in ("debug", "info") else settings.log_level
    set_up_logging(level, Scrubber(settings.secrets()))
    return settings


def main(args: list[str] | None = None) -> None:
    """Run a command. An error is one line on standard error, never a traceback of one that we raise on purpose."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without UTF-8 gets `?`, not a failure
    sys.exit(_run(args))


def _run(args: list[str] | None) -> int:
    try:
        code = dossier.main(args=args, prog_name="dossier", standalone_mode=False)
        sys.stdout.flush()
        return int(code or 0)
    except click.ClickException as exc:
        exc.show()
        return exc.exit_code
    except DossierError as exc:
        from cli.words import plain

        click.echo(f"error ({exc.code}): {plain(exc.message)}", err=True)
        return 2 if isinstance(exc, InputError) else 1
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more while it ends
        click.echo(
            "Whoever read the output has gone; `dossier resume` goes on with a run that was under way.", err=True
        )
        return 1
    except Exception:
        logger.exception("a fault of ours")
        click.echo("error (internal_error): a fault of ours; the log above has the details.", err=True)
        return 1
