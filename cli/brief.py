"""A brief as something rich can show. Pure: records in, renderables out; foreign text is never read as markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.style import Style
from rich.table import Table
from rich.text import Text

from agent.records import Brief, Citation, Claim, DatasetQuality, Subject
from cli.words import STOPPED, as_of, costs_line, identity, plain, provenance, source_name


@dataclass(frozen=True)
class Backdrop:
    """What stands around a brief and is not in it."""

    subject: Subject | None = None
    vendor: str = ""
    """The seller's name."""
    titles: Mapping[str, str] = field(default_factory=dict)
    """Titles of datasets by id."""

    def title(self, dataset: str) -> str:
        """A dataset as readers know it."""
        return self.titles.get(dataset, dataset.replace("_", " ").capitalize())


def render_brief(brief: Brief, around: Backdrop | None = None) -> Group:
    """The whole brief, section by section; sections without content are left out, save the findings."""
    around = around or Backdrop()
    numbers = {c.evidence_id: c.number for c in brief.citations}
    by_id = {c.evidence_id: c for c in brief.citations}
    parts: list[RenderableType] = [_title(brief, around)]
    parts += _findings(brief, around, numbers)
    parts += _section(
        "Background, older than your freshness floor",
        (_bullet(_claim(c, numbers, f"{around.title(c.section)}, {_dates(c, by_id)}")) for c in brief.background),
    )
    whom = f" for {plain(around.vendor)}" if around.vendor else ""
    parts += _section(
        f"Recommendations{whom} (inference, drawn from the facts cited)",
        (_bullet(_claim(c, numbers)) for c in brief.recommendations),
    )
    parts += _section(
        "Talking points (inference, drawn from the facts cited)",
        (_bullet(_claim(c, numbers)) for c in brief.talking_points),
    )
    parts += _section("Sources disagree", _contradictions(brief, by_id))
    parts += _section("Gaps", (_bullet(Text(g)) for g in gap_lines(brief, around)))
    parts += _section(
        "Unverified: these failed a check, do not rely on them", (_bullet(_unverified(c)) for c in brief.unverified)
    )
    parts += _section("Citations", (_citation(c) for c in brief.citations))
    parts += [Text(""), _figures(brief)]
    return Group(*parts)


def gap_lines(brief: Brief, around: Backdrop) -> list[str]:
    """Each required dataset that stayed under its minimum, and why."""
    quality = {d.dataset: d for d in brief.quality.datasets}
    return [f"{around.title(g)}: {_why(g, quality.get(g))}" for g in brief.gaps]


def _why(dataset: str, quality: DatasetQuality | None) -> str:
    if dataset == "vendor" and (quality is None or quality.completeness == 0):
        return "nothing known of the seller; say who sells what with --vendor “Name: offer”"
    if quality is None or (quality.completeness == 0 and not quality.stale):
        return "nothing found"
    if quality.stale:
        return "only facts older than your freshness floor were found"
    missing = f"; missing: {', '.join(m.replace('_', ' ') for m in quality.missing)}" if quality.missing else ""
    return f"insufficient, quality {quality.quality:.2f} where {quality.minimum:.2f} is required{missing}"


def _title(brief: Brief, around: Backdrop) -> RenderableType:
    title = Text(plain(brief.subject) or "No company recognised", style="bold")
    if around.subject is not None:
        title.append(f"  {identity(around.subject)}", style="dim not bold")
    return Group(Text(""), title, Text(plain(brief.question), style="italic"))


def _findings(brief: Brief, around: Backdrop, numbers: Mapping[str, int]) -> list[RenderableType]:
    if not brief.findings:
        return [Text(""), Text("Key findings", style="bold underline"), _bullet(Text("None. " + _sentence(brief)))]
    sections = dict.fromkeys(c.section for c in brief.findings)
    parts: list[RenderableType] = [Text(""), Text("Key findings", style="bold underline")]
    for section in sections:
        parts.append(Text(around.title(section), style="bold"))
        parts += [_bullet(_claim(c, numbers)) for c in brief.findings if c.section == section]
    return parts


def _sentence(brief: Brief) -> str:
    words = STOPPED[brief.stop_reason]
    return words[0].upper() + words[1:] + "."


def _section(title: str, items: Iterable[RenderableType]) -> list[RenderableType]:
    found = list(items)
    return [Text(""), Text(title, style="bold underline"), *found] if found else []


def _claim(claim: Claim, numbers: Mapping[str, int], dates: str = "") -> Text:
    text = Text(plain(claim.text))
    if dates:
        text.append(f" ({dates})", style="yellow")
    cited = sorted(numbers[e] for e in claim.evidence if e in numbers)
    text.append("".join(f" [{n}]" for n in cited), style="cyan")
    return text


def _dates(claim: Claim, by_id: Mapping[str, Citation]) -> str:
    found = dict.fromkeys(as_of(by_id[e].published_at) for e in claim.evidence if e in by_id)
    return ", ".join(found)


def _contradictions(brief: Brief, by_id: Mapping[str, Citation]) -> Iterable[RenderableType]:
    """Each pair of quotes once, both sides in their own words."""
    told: set[frozenset[str]] = set()
    for claim in (*brief.findings, *brief.background, *brief.recommendations, *brief.talking_points):
        for other in claim.contradicts:
            for mine in claim.evidence:
                pair = frozenset((mine, other))
                if mine in by_id and other in by_id and pair not in told:
                    told.add(pair)
                    yield _bullet(Text(f"{_side(by_id[mine])}  but  {_side(by_id[other])}"))
    for conflict in brief.conflicts:
        shown = frozenset(s.evidence_id for s in conflict.sides)
        if not any(pair <= shown for pair in told):
            sides = (f"“{plain(s.quote)}” ({source_name(s.source)}, {as_of(s.published_at)})" for s in conflict.sides)
            yield _bullet(Text("  but  ".join(sides)))


def _side(citation: Citation) -> str:
    return f"“{plain(citation.quote)}” ({as_of(citation.published_at)}) [{citation.number}]"


def _unverified(claim: Claim) -> Text:
    failed = next((c for c in claim.checks if not c.passed), None)
    text = Text(plain(claim.text))
    if failed is not None:
        text.append(f" (failed: {failed.name}{', ' + plain(failed.detail) if failed.detail else ''})", style="yellow")
    return text


def _citation(citation: Citation) -> RenderableType:
    body = Text(f"“{plain(citation.quote)}”\n")
    body.append(f"{plain(citation.title)}, {provenance(citation)}, {as_of(citation.published_at)}", style="dim")
    url = plain(citation.url)
    if url:
        linked = url.startswith(("https://", "http://")) and " " not in url
        body.append(f"\n{url}", style=Style(dim=True, link=url if linked else None))
    return _row(Text(f"[{citation.number}]", style="cyan"), body)


def _figures(brief: Brief) -> RenderableType:
    note = plain(brief.confidence_note)
    lines = [
        f"Quality {brief.quality.overall:.2f}, confidence {brief.confidence:.2f}{f' ({note})' if note else ''}",
        f"Cost: {costs_line(brief.costs)}",
        f"Engine: {plain(brief.engine)}"
        + (f"; statements dropped because they failed a check: {brief.dropped}" if brief.dropped else ""),
        f"Stopped: {STOPPED[brief.stop_reason]}",
    ]
    return Text("\n".join(lines))


def _bullet(text: Text) -> RenderableType:
    return _row(Text("-"), text)


def _row(lead: Text, body: Text) -> RenderableType:
    """`body` with a hanging indent after `lead`."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=max(len(lead.plain), 1), no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(lead, body)
    return grid
