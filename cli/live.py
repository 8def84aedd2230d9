"""A run as it happens: events become steps, steps become a tree that fills in, or plain lines where nobody watches."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text
from rich.tree import Tree

from agent import events as ev
from agent.records import CallStatus, SkipReason
from cli.output import console, say, tell
from cli.words import identity, plain, seconds, short, usd

Mark = Literal["✓", "✗", "!", "·", "+", "…"]
STYLES: dict[str, str] = {"✓": "green", "✗": "red", "!": "yellow", "+": "cyan"}
SHOWN = 120


@dataclass
class Item:
    """A line under a step. `…` means that it is still going on."""

    mark: Mark
    text: str


@dataclass
class Step:
    """One step of the walk."""

    key: str
    title: str
    items: dict[str, Item] = field(default_factory=dict)

    def add(self, mark: Mark, text: str, key: str | None = None) -> None:
        """Add a line, or replace the one with this key."""
        self.items[key or str(len(self.items))] = Item(mark, text)


class Progress:
    """What is known of a run so far, step by step. Knows events, and nothing of terminals."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.spent = Decimal(0)
        self.max_cost = Decimal(0)
        self._calls: dict[str, str] = {}
        self._claims: Counter[str] = Counter()
        self._round = 1
        self._attempt = 1

    def take(self, event: ev.Event) -> None:
        """Fill in what an event tells."""
        match event:
            case ev.SessionStarted(data=data):
                self.max_cost = data.max_cost
                self._step("start", f"{plain(event.message)}, engine {plain(data.engine)}")
            case ev.RunResumed(data=data):
                self._interrupted()
                self._attempt, self._claims = data.attempt, Counter()
                self._step("resumed", plain(event.message))
            case ev.VendorContextLoaded(data=data):
                named = f"{plain(data.name)}: {short(data.offer, SHOWN)}" if data.name else short(data.offer, SHOWN)
                reader = f", for {plain(data.persona)}" if data.persona else ""
                self._step("frame", "Who and whom").add("✓", f"seller: {named}{reader}")
            case ev.SubjectIdentified(data=data):
                self._subject(data)
            case ev.QuestionDecomposed(data=data):
                step = self._step(f"questions-{data.round}", f"Questions{_nth(data.round)}")
                for q in data.questions:
                    step.add("·", f"{plain(q.text)} [{', '.join(q.datasets)}]")
            case ev.ResearchPlanCreated(data=data):
                self._plan(data)
            case ev.SourceSkipped(data=data):
                self._step(f"plan-{self._round}", "Plan").add("!", f"{data.source} left out: {plain(data.detail)}")
            case ev.SourceStarted(data=data):
                name = self._calls.setdefault(data.call_id, _call(data.source, data.args))
                self._step(f"calls-{self._round}", f"Calls{_nth(self._round)}").add("…", name, data.call_id)
            case ev.SourceFinished(data=data):
                self._finished(data, plain(event.message))
            case ev.BudgetUpdated(data=data):
                self.spent, self.max_cost = data.spent, data.max_cost
            case ev.DataExtracted():
                self._step(f"quality-{self._round}", f"Quality{_nth(self._round)}").add("·", plain(event.message))
            case ev.QualityAssessed(data=data):
                self._quality(data)
            case ev.EngineFellBack(data=data):
                self._last().add("!", f"{plain(event.message)}: {plain(data.detail)}")
            case ev.AnswerDelta(data=data):
                self._step("writing", "Sentences").add(
                    "+", f"[{data.section}] {short(data.text, SHOWN)}", data.claim_id or None
                )
            case ev.ClaimChecked(data=data):
                self._claims[data.status] += 1
            case ev.ResearchComplete():
                self._checked()
            case ev.RunFinished():
                self._interrupted()

    def _subject(self, data: ev.SubjectIdentifiedData) -> None:
        step = self._step("frame", "Who and whom")
        if data.subject is None:
            step.add("✗", "subject: no company recognised")
            return
        step.add("✓", f"subject: {plain(data.subject.name)} ({identity(data.subject)})")
        if data.subject.alternatives:
            step.add("!", f"not meant? {', '.join(plain(a) for a in data.subject.alternatives)}")
        if data.known_datasets:
            step.add("·", f"known already: {', '.join(data.known_datasets)}")

    def _plan(self, data: ev.ResearchPlanCreatedData) -> None:
        self._round = data.round
        count = len(data.to_collect) + len(data.from_cache)
        cost = f"at most {usd(data.expected_cost)}, about {seconds(data.expected_seconds)}"
        title = (
            f"Plan{_nth(data.round)}: {count} calls, {cost}" if count else f"Plan{_nth(data.round)}: nothing to call"
        )
        step = self._step(f"plan-{data.round}", title)
        step.title = title
        for planned in data.to_collect:
            self._calls[planned.call_id] = name = _call(planned.source, planned.args)
            step.add("·", f"{name}, {usd(planned.max_price)}, for {', '.join(planned.datasets)}")
        for planned in data.from_cache:
            self._calls[planned.call_id] = name = _call(planned.source, planned.args)
            step.add("·", f"{name}, from the cache, for {', '.join(planned.datasets)}")
        poor = sum(s.reason is SkipReason.NOT_WORTH_IT for s in data.skipped)
        if poor:
            step.add("·", f"{poor} more left out: their expected gain is not worth their price")
        if data.offer:
            bought = ", ".join(f"{n} × {source}" for source, n in Counter(c.source for c in data.offer.calls).items())
            step.add("·", f"{usd(data.offer.more)} more would buy {bought}: quality +{data.offer.expected_gain:.2f}")

    def _finished(self, data: ev.SourceFinishedData, message: str) -> None:
        name = self._calls.get(data.call_id, data.source)
        step = self._step(f"calls-{self._round}", f"Calls{_nth(self._round)}")
        match data.status:
            case CallStatus.OK:
                mark, found = "✓", f"{data.documents} documents"
            case CallStatus.NO_RESULTS:
                mark, found = "✓", "looked and found nothing"
            case _:
                mark, found = "✗", message.removeprefix(f"{data.source}: ") or data.status.value
        saved = f", {usd(data.saved)} saved" if data.saved else ""
        paid = f"from the cache{saved}" if data.cached else usd(data.cost)
        unknown = " (nobody knows whether it was billed: counted as spent)" if data.billed_unknown else ""
        step.add(mark, f"{name}: {found}, {seconds(data.seconds)}, {paid}{unknown}", data.call_id)  # type: ignore[arg-type]

    def _quality(self, data: ev.QualityAssessedData) -> None:
        step = self._step(f"quality-{self._round}", f"Quality{_nth(self._round)}")
        for d in data.report.datasets:
            stale = ", only facts older than the freshness floor" if d.stale else ""
            need = "required" if d.required else "wanted"
            mark: Mark = "✓" if d.sufficient else ("✗" if d.required else "!")
            step.add(mark, f"{d.dataset} {d.quality:.2f} of {d.minimum:.2f} {need}{stale}")
        then = "another round" if data.next_step == "decompose" else "writing"
        step.add("·", f"overall {data.report.overall:.2f}; next: {then} ({plain(data.reason).replace('_', ' ')})")

    def _checked(self) -> None:
        total = sum(self._claims.values())
        stand = self._claims["supported"]
        if total:
            self._step(
                "checks", f"Checked {total} sentences against their sources: {stand} stand, {total - stand} do not"
            )

    def _interrupted(self) -> None:
        for item in (i for s in self.steps for i in s.items.values() if i.mark == "…"):
            item.mark, item.text = "!", f"{item.text}: interrupted"

    def _step(self, key: str, title: str) -> Step:
        """The step of this attempt, begun if need be: what a killed process left unfinished stays as it was."""
        key = f"{self._attempt} {key}"
        found = next((s for s in self.steps if s.key == key), None)
        if found is None:
            found = Step(key, title)
            self.steps.append(found)
        return found

    def _last(self) -> Step:
        return self.steps[-1] if self.steps else self._step("start", "Start")


def _nth(round: int) -> str:
    return "" if round == 1 else f", round {round}"


def _call(source: str, args: dict[str, object] | object) -> str:
    words = [str(v) for v in args.values() if isinstance(v, str)] if isinstance(args, dict) else []
    return f"{source}: {short(words[0], 60)}" if words else source


# --- views -----------------------------------------------------------------------------------------------------------


class View(Protocol):
    """Somebody to whom a run is shown."""

    def take(self, body: str) -> None:
        """One event, as JSON."""
        ...

    def note(self, line: str) -> None:
        """A word to the person at the keyboard."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was."""
        ...


class JsonView:
    """The events themselves, one a line."""

    def take(self, body: str) -> None:
        """Print it."""
        say(body)

    def note(self, line: str) -> None:
        """To standard error: standard output holds events only."""
        tell(line)

    def close(self) -> None:
        """Nothing to do."""


class LinesView:
    """Each step's title once, and each of its lines when it is settled."""

    def __init__(self, write: Callable[[str], None] = say) -> None:
        self.progress = Progress()
        self._write = write
        self._told: set[tuple[str, str]] = set()

    def take(self, body: str) -> None:
        """Print what the event settled."""
        self.progress.take(ev.EVENT.validate_json(body))
        for step in self.progress.steps:
            self._once((step.key, ""), step.title)
            for key, item in step.items.items():
                if item.mark != "…":
                    self._once((step.key, f"item {key}"), f"  {item.mark} {item.text}")

    def _once(self, what: tuple[str, str], line: str) -> None:
        if what not in self._told:
            self._told.add(what)
            self._write(line)

    def note(self, line: str) -> None:
        """To standard error."""
        tell(line)

    def close(self) -> None:
        """Nothing to do."""


class TreeView:
    """The tree. Steps that are over scroll up and stay; the one under way is redrawn, with a spinner per call."""

    def __init__(self, out: Console | None = None) -> None:
        self.progress = Progress()
        self._console = out or console()
        self._live = Live(
            console=self._console, refresh_per_second=10, transient=True, redirect_stderr=sys.stderr.isatty()
        )
        self._spinners: dict[str, Spinner] = {}
        self._over = 0
        self._note = ""
        self._live.start()

    def take(self, body: str) -> None:
        """Fill the tree in."""
        self.progress.take(ev.EVENT.validate_json(body))
        while self._over < len(self.progress.steps) - 1:
            self._console.print(self._tree(self.progress.steps[self._over]))
            self._over += 1
        self._redraw()

    def note(self, line: str) -> None:
        """Under the tree, until the end."""
        self._note = line
        self._redraw()

    def close(self) -> None:
        """Print what was still being drawn, and stop drawing."""
        if not self._live.is_started:
            return
        self._live.stop()
        for step in self.progress.steps[self._over :]:
            self._console.print(self._tree(step))
        self._over = len(self.progress.steps)

    def _redraw(self) -> None:
        parts: list[RenderableType] = []
        if self.progress.steps:
            parts.append(self._tree(self.progress.steps[-1], limit=max(self._console.height - 6, 3)))
        status = f"{usd(self.progress.spent)} of {usd(self.progress.max_cost)} spent"
        parts.append(self._spinner("status", f"{self._note}  {status}" if self._note else status))
        self._live.update(Group(*parts))

    def _tree(self, step: Step, limit: int | None = None) -> Tree:
        """A step; with a limit the oldest settled lines give way, so that what is under way stays in sight."""
        tree = Tree(Text(step.title, style="bold"), guide_style="dim")
        items = list(step.items.items())
        if limit is not None and len(items) > limit:
            running = [i for i in items if i[1].mark == "…"][-limit:]
            settled = [i for i in items if i[1].mark != "…"]
            room = limit - len(running)
            tree.add(Text(f"… {len(items) - limit} more", style="dim"))
            items = (settled[-room:] if room else []) + running
        for key, item in items:
            if item.mark == "…":
                tree.add(self._spinner(f"{step.key} {key}", item.text))
            else:
                tree.add(Text.assemble((item.mark, STYLES.get(item.mark, "dim")), " ", item.text))
        return tree

    def _spinner(self, key: str, text: str) -> Spinner:
        """One spinner per line, kept, for a new one would start its turn anew at every redraw."""
        spinner = self._spinners.setdefault(key, Spinner("dots"))
        spinner.update(text=Text(text))
        return spinner
