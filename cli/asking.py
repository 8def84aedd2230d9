"""ask and resume: runs of this process, shown as they happen. show and cancel: any run of the data folder."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import IntEnum

from agent.asking import read_ask
from agent.catalogue import load_catalogue
from agent.errors import RunAlreadyEnded, StoreError
from agent.records import StopReason, Subject
from agent.runs import Runs
from agent.scrub import Scrubber
from agent.services import Services, open_services
from agent.settings import Settings
from agent.store.runs import Run, RunStatus
from agent.subject import parse_vendor
from cli.brief import Backdrop, render_brief
from cli.live import JsonView, LinesView, TreeView, View
from cli.output import console, on_terminal, say, show, tell
from cli.words import STOPPED, plain


class Exit(IntEnum):
    """What a command's exit code says."""

    COMPLETE = 0
    FAILED = 1
    USAGE = 2
    PARTIAL = 3
    NOTHING_FOUND = 4


def exit_code(run: Run) -> Exit:
    """How a run that has ended is reported to the shell."""
    if run.brief is None or run.status is RunStatus.ERROR or run.brief.stop_reason is StopReason.ERROR:
        return Exit.FAILED
    if run.brief.stop_reason in (StopReason.DEADLINE, StopReason.CANCELLED):
        return Exit.PARTIAL
    if not run.brief.findings:
        return Exit.NOTHING_FOUND
    return Exit.COMPLETE if run.brief.stop_reason is StopReason.ANSWERED else Exit.PARTIAL


def ask(settings: Settings, question: Mapping[str, object], thread_id: str | None, *, json: bool) -> int:
    """Ask one question and follow it to its end. Raises InputError before anything is stored."""
    if thread_id is None:
        read_ask(question, settings, load_catalogue(settings.consumers_dir))

    async def work(services: Services) -> int:
        async with Runs(services, resume=False) as runs:
            where = thread_id
            if where is None:
                thread = await runs.create_thread(
                    persona=_text(question, "persona"),
                    vendor=_text(question, "vendor"),
                    consumer_type=_text(question, "consumer_type") or "quick_chat",
                )
                where = thread.id
            run = await runs.start(where, question)
            code = await _follow(runs, run.id, json=json)
        if not json and on_terminal():
            tell(f"Follow up with: dossier ask --thread {where} “…”")
        return code

    return asyncio.run(_with_services(settings, work, waiting=not json))


def resume(settings: Settings, run_id: str | None) -> int:
    """Take up what dead processes left unfinished, and follow it."""

    async def work(services: Services) -> int:
        if run_id is not None:
            run = await services.runs.run(run_id)
            if not run.status.active:
                tell(f"Run {run.id} has ended ({run.status}): see `dossier show {run.id}`.")
                return exit_code(run)
        async with Runs(services, resume=False) as runs:
            taken = await runs.take_up(only=run_id)
            wanted = taken if run_id is None else [run_id]
            if not wanted:
                say("Nothing to resume: every run has ended, or a living process has it in hand.")
            if run_id is not None and run_id not in taken:
                tell(f"Run {run_id} is in the hands of another process: following it.")
            return max([await _follow(runs, each, json=False) for each in wanted], key=_gravity, default=Exit.COMPLETE)

    return asyncio.run(_with_services(settings, work))


def show_run(settings: Settings, run_id: str, *, json: bool) -> int:
    """The brief of a run again, or where the run stands."""

    async def work(services: Services) -> int:
        run = await services.runs.run(run_id)
        if json:
            say(run.model_dump_json())
        elif run.status.active:
            say(f"Run {run.id} is {run.status} and has no brief yet: `dossier resume {run.id}` follows it.")
        else:
            await _tell_end(services, run)
        return Exit.COMPLETE

    return asyncio.run(_with_services(settings, work))


def cancel(settings: Settings, run_id: str) -> int:
    """Ask whichever process executes a run to end it soon, with what it has."""

    async def work(services: Services) -> int:
        run = await Runs(services, resume=False).cancel(run_id)
        if run.owner is not None and await services.owner.is_alive(run.owner):
            say(f"Run {run.id} ends within a moment, with what it has: `dossier show {run.id}`.")
        else:
            say(f"Run {run.id} belongs to a process that is gone: `dossier resume {run.id}` ends it with what it has.")
        return Exit.COMPLETE

    return asyncio.run(_with_services(settings, work))


# --- following -------------------------------------------------------------------------------------------------------


async def _with_services(
    settings: Settings, work: Callable[[Services], Coroutine[None, None, int]], *, waiting: bool = False
) -> int:
    if waiting and on_terminal():
        with console().status("Opening the data folder"):
            services = await open_services(settings)
    else:
        services = await open_services(settings)
    try:
        return await work(services)
    finally:
        await services.close()


async def _follow(runs: Runs, run_id: str, *, json: bool) -> Exit:
    """Show a run until it ends, then its brief; gives the exit code that fits."""
    view: View = JsonView() if json else TreeView() if on_terminal() else LinesView()
    try:
        with _interruptible(runs, run_id, view):
            run = await _until_ended(runs, run_id, view)
    finally:
        view.close()
    if not json:
        await _tell_end(runs.services, run)
    elif run.error:
        _tell_error(runs.services.scrub, run)
    return exit_code(run)


async def _until_ended(runs: Runs, run_id: str, view: View) -> Run:
    """Every event to the view. Raises StoreError when the store refused, so that this process let go of the run."""
    services = runs.services
    ended = asyncio.create_task(runs.wait(run_id))
    try:
        async for item in services.log.follow(run_id):
            if item is not None:
                view.take(item[1])
            elif ended.done() and await _let_go(services, run_id):
                left = f"Run {run_id} could not go on and is left unfinished: `dossier resume` takes it up."
                raise services.log.broken or StoreError(left)
        return await runs.wait(run_id)
    finally:
        ended.cancel()
        await asyncio.gather(ended, return_exceptions=True)


async def _let_go(services: Services, run_id: str) -> bool:
    run = await services.runs.run(run_id)
    return run.status.active and run.owner == services.owner.token


@contextmanager
def _interruptible(runs: Runs, run_id: str, view: View) -> Iterator[None]:
    """Ctrl-C once ends the run with what it has; twice, or a termination, leaves at once and the run can be resumed."""
    loop = asyncio.get_running_loop()
    asked: list[asyncio.Task[None]] = []

    def interrupt() -> None:
        if asked:
            leave(signal.SIGINT)
        view.note("Ending with what there is; Ctrl-C again leaves at once.")
        asked.append(asyncio.ensure_future(_ended_or(runs.cancel(run_id))))

    def leave(sig: signal.Signals) -> None:
        view.close()
        tell(f"Left. `dossier resume {run_id}` takes the run up again.")
        os._exit(128 + sig)  # at once: nothing that is confirmed is lost, and the lease ends with the process

    loop.add_signal_handler(signal.SIGINT, interrupt)
    loop.add_signal_handler(signal.SIGTERM, leave, signal.SIGTERM)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        loop.remove_signal_handler(signal.SIGTERM)


async def _ended_or(work: Awaitable[object]) -> None:
    with suppress(RunAlreadyEnded):
        await work


# --- the end ---------------------------------------------------------------------------------------------------------


async def _tell_end(services: Services, run: Run) -> None:
    if run.brief is not None:
        show(render_brief(run.brief, await _backdrop(services, run)))
        say(f"Run {run.id}, thread {run.thread_id}")
    if run.error:
        _tell_error(services.scrub, run)
    elif run.brief is None:
        say(f"Run {run.id} ended without a brief ({run.status}{_stop(run.stop_reason)}).")


def _stop(reason: StopReason | None) -> str:
    return f": {STOPPED[reason]}" if reason is not None else ""


def _tell_error(scrub: Scrubber, run: Run) -> None:
    error = run.error or {}
    tell(f"error ({error.get('code', 'internal_error')}): {plain(scrub(str(error.get('message', ''))))}")


async def _backdrop(services: Services, run: Run) -> Backdrop:
    found = await services.runs.last_data(run.id, "subject_identified")
    subject = Subject.model_validate(found["subject"]) if found and found.get("subject") else None
    vendor = run.ask.vendor or (await services.runs.thread(run.thread_id)).vendor or ""
    titles = {d.id: d.title for d in services.catalogue.datasets.values()}
    return Backdrop(subject=subject, vendor=parse_vendor(vendor).name if vendor else "", titles=titles)


def _text(question: Mapping[str, object], name: str) -> str | None:
    value = question.get(name)
    return None if value is None else str(value)


def _gravity(code: Exit) -> int:
    return (Exit.COMPLETE, Exit.NOTHING_FOUND, Exit.PARTIAL, Exit.FAILED).index(code)
