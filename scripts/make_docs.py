"""Writes the parts of docs/ that can be read from the code, between markers, so that they cannot go out of date unseen.

    python -m scripts.make_docs            write them
    python -m scripts.make_docs --check    write nothing; exit 1 when a part is out of date

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`. The rest is written by hand.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from textwrap import dedent
from typing import Any, Literal, get_args, get_origin

import click
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from agent import events, records
from agent.calls import FAILURE_TTL
from agent.catalogue import load_catalogue
from agent.errors import all_errors
from agent.graph import build
from agent.ingest import MAX_BYTES, STARTER
from agent.models.prices import price_table
from agent.readers import READERS
from agent.records import to_usd
from agent.services import open_services
from agent.settings import Settings
from cli import dossier
from cli.asking import Exit
from cli.words import STOPPED
from server import create_app
from tools import base
from tools.base import FailureKind, Frozen, Pace, SourceEnv, discover

DOCS = Path(__file__).parent.parent / "docs"
_PART = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

HOLD = "the hold counts as spent"

FAILURES: Mapping[FailureKind, tuple[str, str]] = {
    FailureKind.NOT_FOUND: ("The address that was asked for does not exist.", "no"),
    FailureKind.RATE_LIMITED: ("Too many requests. The source is left alone for a while.", "no"),
    FailureKind.BLOCKED_BY_ROBOTS: ("The site's robots.txt does not allow it.", "no"),
    FailureKind.AUTH: ("The key is missing, wrong or not allowed to do this. Check it.", "no"),
    FailureKind.QUOTA: ("The plan's searches are used up. Top it up, or wait for the next period.", "no"),
    FailureKind.TIMEOUT: ("No answer in time.", f"yes, once the request was sent: {HOLD}"),
    FailureKind.UNREACHABLE: ("No connection, or the server failed.", f"yes, if it broke after the request: {HOLD}"),
    FailureKind.MALFORMED: (
        "An answer came that cannot be read.",
        f"yes: its price if billed; if nobody knows, {HOLD}",
    ),
    FailureKind.REFUSED_ADDRESS: ("The address, or a redirect to it, is not allowed.", "no"),
    FailureKind.INVALID_ARGUMENTS: ("The arguments do not fit the source, or it refused them.", "no"),
    FailureKind.OUTCOME_UNKNOWN: ("Under way when the process died or the run was stopped.", f"yes: {HOLD}"),
    FailureKind.INTERNAL: ("A fault in the source's own code. The log has the traceback.", f"yes: {HOLD}"),
}
"""Failure kind -> what it means, and whether money may be spent."""

WHEN: Mapping[str, tuple[str, str]] = {
    "session_started": ("", "The run begins. Always the first event."),
    "run_resumed": ("", "A process took the run up after another one died or was drained."),
    "vendor_context_loaded": ("frame", "The seller's own words are stored. Only when `vendor` was given."),
    "subject_identified": ("frame", "The company was resolved, or was not (`subject` is null)."),
    "question_decomposed": ("decompose", "Sub-questions of this round."),
    "research_plan_created": ("plan", "The calls of this round, and those left out with the reason."),
    "source_skipped": ("plan", "A source was left out, for money, time, arguments or because it is off."),
    "source_started": ("collect", "A call begins."),
    "source_finished": ("collect", "A call ended, well or badly. Also for cached replies."),
    "budget_updated": ("collect", "Money after a call."),
    "data_extracted": ("assess", "Quotes found so far, by dataset."),
    "quality_assessed": ("assess", "Quality, gaps, and whether another round follows."),
    "engine_fell_back": ("decompose, plan, assess, synthesize", "The chat model did not deliver; the extractive goes on."),
    "answer_delta": ("synthesize", "A sentence of the answer that has passed its checks."),
    "claim_checked": ("verify", "A sentence was checked once more, with the result of each check."),
    "research_complete": ("verify", "The brief."),
    "run_finished": ("", "The run has ended. Always the last event, however it ended."),
}  # fmt: skip
"""Event type -> the room that sends it, and when."""


# --- helpers ------------------------------------------------------------------------------------------------


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; cells are kept on one line."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(c) for c in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def field_docs(kind: type[Any]) -> dict[str, str]:
    """The sentence under each field of a class, as the source has it."""
    body = ast.parse(dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for node, after in zip(body.body, body.body[1:], strict=False):
        is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and is_text:
            found[node.target.id] = str(after.value.value)  # type: ignore[attr-defined]
    return found


def _fields(kind: type[BaseModel]) -> str:
    """`name` type, one after the other; a field's own sentence in brackets."""
    docs, hints = field_docs(kind), inspect.get_annotations(kind)
    parts = [f"`{n}` {h}" + (f" ({docs[n].rstrip('.')})" if n in docs else "") for n, h in hints.items()]
    return "; ".join(parts)


def _usd(micros: int) -> str:
    return f"${to_usd(micros):.3f}" if micros else "0"


# --- the parts ----------------------------------------------------------------------------------------------


def graph() -> str:
    """The compiled graph, as LangGraph draws it."""

    async def draw() -> str:
        with tempfile.TemporaryDirectory() as folder:
            settings = Settings(data_dir=Path(folder), engine="extractive", starter_library=False)
            services = await open_services(settings)
            try:
                return build(services).get_graph().draw_mermaid()
            finally:
                await services.close()

    return f"```mermaid\n{asyncio.run(draw()).strip()}\n```"


def settings() -> str:
    """Every setting: its variable, its default, what it does."""
    rows = []
    for name, field in Settings.model_fields.items():
        secret = " **Secret.**" if "SecretStr" in str(field.annotation) or field.annotation is SecretStr else ""
        rows.append((f"`{Settings.env_name(name)}`", _default(field), f"{field.description}{_range(field)}{secret}"))
    return table(("variable", "default", "what it does"), rows)


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None or value is PydanticUndefined or value == ():
        return "not set"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _range(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return " One of " + ", ".join(f"`{v}`" for v in get_args(field.annotation)) + "."
    words = {"ge": "at least", "gt": "over", "le": "at most"}
    parts = [
        f"{w} {getattr(m, k)}" for m in field.metadata for k, w in words.items() if getattr(m, k, None) is not None
    ]
    return f" Range: {', '.join(parts)}." if parts else ""


def errors() -> str:
    """Every error of the tree. Groups without a code of their own are left out only where nothing raises them."""
    rows = [
        (f"`{e.code}`", str(e.status), "yes" if e.retryable else "no", inspect.cleandoc(e.__doc__ or ""))
        for e in all_errors()
    ]
    return table(("code", "HTTP status", "retryable as it stands", "what it means, and what to do"), rows)


def failure_kinds() -> str:
    """How a source can fail."""
    rows = []
    for kind in FailureKind:
        meaning, money = FAILURES[kind]
        held = FAILURE_TTL.get(kind)
        rows.append((f"`{kind}`", meaning, money, f"{held:.0f} s" if held else "not remembered"))
    return table(("kind", "meaning", "may money be spent?", "remembered for"), rows)


def stop_reasons() -> str:
    """Why a run ended."""
    return table(("stop reason", "meaning"), [(f"`{reason}`", words) for reason, words in STOPPED.items()])


def exit_codes() -> str:
    """What the shell is told."""
    said = dict(re.findall(r"^\s+(\d)\s+(.+(?:\n\s{5,}.+)*)", dossier.commands["ask"].epilog or "", re.MULTILINE))
    rows = [
        (str(code.value), code.name.lower().replace("_", " "), said[str(code.value)].partition(": ")[2])
        for code in Exit
    ]
    return table(("code", "name", "meaning"), rows)


def event_types() -> str:
    """Every event: when it comes, from which room, with which data."""
    rows = []
    for kind in event_classes():
        name = str(kind.model_fields["type"].default)
        node, when = WHEN[name]
        rows.append((f"`{name}`", f"`{node}`" if node else "", when, _fields(kind.model_fields["data"].annotation)))  # type: ignore[arg-type]
    return table(("type", "node", "when", "`data`"), rows)


def event_classes() -> tuple[type[BaseModel], ...]:
    """The classes of the union, in its order."""
    return get_args(get_args(events.Event)[0])


def event_records() -> str:
    """The records that stand inside events."""
    todo: list[Any] = [c.model_fields["data"].annotation for c in event_classes()]
    found: dict[str, type[Any]] = {}
    while todo:
        kind = todo.pop(0)
        for word in re.findall(r"[A-Z]\w+", " ".join(map(str, inspect.get_annotations(kind).values()))):
            named = next((k for m in (records, events, base) if (k := m.__dict__.get(word)) is not None), None)
            if word in found or not (inspect.isclass(named) and issubclass(named, Frozen | StrEnum)):
                continue
            found[word] = named
            if not issubclass(named, StrEnum):
                todo.append(named)
    return table(("record", "what it holds"), [(f"`{n}`", _record(k)) for n, k in sorted(found.items())])


def _record(kind: type[Any]) -> str:
    if issubclass(kind, StrEnum):
        return "one of " + ", ".join(f"`{v}`" for v in kind)
    return _fields(kind)


def routes() -> str:
    """Every route of the application."""
    app = create_app(Settings(engine="extractive"))
    rows = []
    for path, operations in app.openapi()["paths"].items():
        for method, operation in operations.items():
            good = [s for s in operation["responses"] if s < "300"]
            rows.append((f"`{method.upper()} {path}`", ", ".join(sorted(good)), operation["description"]))
    return table(("route", "success", "what it does"), rows)


def commands() -> str:
    """What `--help` says, command by command."""
    parts = []
    above = click.Context(
        dossier, info_name="dossier", terminal_width=100, max_content_width=100, **dossier.context_settings
    )
    for name, command in sorted(dossier.commands.items()):
        context = click.Context(command, info_name=name, parent=above)
        parts.append(f"### dossier {name}\n\n```text\n{command.get_help(context).strip()}\n```")
    return "\n\n".join(parts)


def sources() -> str:
    """Every source that the folder holds, at its default price."""
    rows = []
    for kind in discover():
        built = kind(SourceEnv())
        rows.append(
            (
                f"`{kind.name}`",
                kind.title,
                _usd(built.max_price),
                kind.needs or "nothing",
                _limits(kind.paces),
                ", ".join(f"{dataset} {prior:g}" for dataset, prior in kind.datasets.items()),
                f"{kind.reliability:g}",
                f"{kind.latency:g}",
                kind.licence,
            )
        )
    head = (
        "name",
        "title",
        "USD a call, default",
        "needs",
        "limits",
        "datasets, with the chance that a call fills a field",
    )
    return table((*head, "reliability", "seconds", "licence and terms of its content"), rows)


def _limits(paces: Mapping[str, Pace]) -> str:
    """Paces in words: `sec.gov: 10 a second, 4 at once`."""
    said = []
    for domain, pace in paces.items():
        rate = f"{pace.per_second:g} a second" if pace.per_second >= 1 else f"one every {1 / pace.per_second:g} s"
        said.append(f"{domain}: {rate}, {pace.at_once} at once")
    return "; ".join(said) or "its own"


def consumers() -> str:
    """The matrix."""
    catalogue = load_catalogue()
    found = list(catalogue.consumers.values())
    rows = []
    for dataset in catalogue.datasets:
        wanted = [next((r for r in c.requirements if r.dataset == dataset), None) for c in found]
        rows.append([f"`{dataset}`", *(f"{r.weight * 100:g}{'*' if r.required else ''}" if r else "" for r in wanted)])
    rows.append(["max cost, USD", *(f"{c.max_cost:.2f}" for c in found)])
    rows.append(["minimum quality", *(f"{c.min_quality:.2f}" for c in found)])
    rows.append(["freshness floor", *(f"{c.freshness_floor:.2f}" for c in found)])
    return table(["", *(f"`{c.id}`" for c in found)], rows)


def datasets() -> str:
    """Every dataset with its fields."""
    rows = [
        (f"`{d.id}`", d.title, f"{d.half_life_days:g}", ", ".join(f"`{f.name}`" for f in d.fields))
        for d in load_catalogue().datasets.values()
    ]
    return table(("dataset", "title", "half-life, days", "fields"), rows)


def model_prices() -> str:
    """The price table as shipped."""
    rows = []
    for name, row in price_table().items():
        prompt = max(row.input, row.cache_write or row.input)
        limit = f"{row.prompt_limit:,} tokens" if row.prompt_limit else ""
        rows.append((f"`{name}`", f"{prompt}", f"{row.output}", limit, row.read.isoformat()))
    return table(("model", "prompt, USD per million", "completion, USD per million", "up to", "read on"), rows)


def formats() -> str:
    """What `dossier ingest` reads."""
    kinds = ", ".join(f"`{suffix}`" for suffix in READERS)
    return f"Read are files that end in {kinds}, up to {MAX_BYTES // 1_000_000} MB each."


def starter_library() -> str:
    """What the fact notes hold: companies, notes, and the days they speak of."""
    notes = [json.loads(n) for path in sorted(STARTER.glob("*.jsonl")) for n in path.read_text("utf-8").splitlines()]
    companies = Counter(n["company_name"] for n in notes)
    fields = Counter(n["dataset"] for n in notes)
    dates, read = sorted(n["as_of"] for n in notes if n.get("as_of")), sorted({n["retrieved_at"] for n in notes})
    publishers = len({n["publisher"] for n in notes})
    facts = [
        ("fact notes", str(len(notes))),
        ("companies", f"{len(companies)}: {'; '.join(sorted(companies))}"),
        ("by dataset", ", ".join(f"{d} {n}" for d, n in fields.most_common())),
        ("publishers", str(publishers)),
        ("published from, to", f"{dates[0]}, {dates[-1]}"),
        ("pages read on", f"{read[0]} to {read[-1]}" if len(read) > 1 else read[0]),
        ("without a date", str(len(notes) - len(dates))),
    ]
    return table(("what", "how many, which"), facts)


PARTS: Mapping[str, Callable[[], str]] = {
    "graph": graph,
    "settings": settings,
    "errors": errors,
    "failure-kinds": failure_kinds,
    "stop-reasons": stop_reasons,
    "exit-codes": exit_codes,
    "event-types": event_types,
    "event-records": event_records,
    "routes": routes,
    "commands": commands,
    "sources": sources,
    "consumers": consumers,
    "datasets": datasets,
    "model-prices": model_prices,
    "formats": formats,
    "starter-library": starter_library,
}


# --- writing ------------------------------------------------------------------------------------------------


def written(text: str, made: Mapping[str, str]) -> str:
    """`text` with every generated part as it is now."""
    return _PART.sub(lambda m: f"{m[1]}{made[m['name']]}\n{m[3]}", text)


def main(args: Sequence[str], docs: Path = DOCS) -> int:
    """0 when all parts are current (or were written), 1 when `--check` found one that is not."""
    made = {name: part() for name, part in PARTS.items()}
    stale, seen = [], set[str]()
    for page in sorted(docs.rglob("*.md")):
        text = page.read_text("utf-8")
        seen |= {m["name"] for m in _PART.finditer(text)}
        fresh = written(text, made)
        if fresh != text:
            stale.append(page.name)
            if "--check" not in args:
                page.write_text(fresh, "utf-8")
    for name in sorted(set(made) - seen):
        print(f"no page has the part {name!r}")
    if "--check" in args:
        print(f"out of date: {', '.join(stale)}: run python -m scripts.make_docs" if stale else "current")
        return int(bool(stale) or seen != set(made))
    print(f"written: {', '.join(stale)}" if stale else "nothing to write")
    return int(seen != set(made))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
