"""One call as it is seen from a room: announced, made through the door, its documents and evidence kept, its end told."""

from __future__ import annotations

from datetime import datetime

from agent.calls import Bought, buy
from agent.events import SourceFinished, SourceFinishedData, SourceStarted, SourceStartedData
from agent.extract import extract
from agent.nodes.room import Visit
from agent.records import Call, CallStatus, Document, Evidence, Outcome, Subject, content_id, to_usd
from tools.base import SourceDocument, SourceReply


async def make_call(
    call: Call, subject: Subject, budgets: list[str], in_round: int, visit: Visit
) -> tuple[Outcome, SourceReply]:
    """Make a call and tell of it. Never raises for what a source does wrong."""
    visit.emit(
        SourceStarted,
        f"Asking {call.source}: {_shown(call)}",
        SourceStartedData(call_id=call.call_id, source=call.source, args=call.args, max_price=to_usd(call.max_price)),
    )
    bought = await buy(visit.services, visit.scope, call, tuple(budgets))
    pairs = await _store(bought, call, visit)
    found = await _evidence(pairs, call, subject, visit)
    evidence, filled = [e.id for e in found], {e.dataset for e in found}
    outcome = Outcome(
        call_id=call.call_id,
        source=call.source,
        status=bought.status,
        round=in_round,
        datasets=call.datasets,
        failure=bought.failure,
        message=bought.message,
        cost=bought.cost,
        cached=bought.cached,
        saved=bought.saved,
        seconds=round(bought.seconds, 3),
        documents=tuple(d.id for _, d in pairs),
        evidence=tuple(evidence),
    )
    if bought.status in (CallStatus.OK, CallStatus.NO_RESULTS) and not bought.cached:
        await visit.services.history.note(call.call_id, {d: d in filled for d in call.datasets})
    _tell(outcome, visit)
    await visit.emit_budget(budgets)
    return outcome, bought.reply


async def _store(bought: Bought, call: Call, visit: Visit) -> list[tuple[SourceDocument, Document]]:
    """Keep what came, and give each document as it was brought and as it is stored."""
    retrieved = bought.retrieved_at or visit.now()
    fresh = [(d, _document(d, call.source, retrieved)) for d in bought.reply.documents if d.stored_id is None]
    await visit.services.documents.put([document for _, document in fresh])
    wanted = [d.stored_id for d in bought.reply.documents if d.stored_id is not None]
    stored = {d.id: d for d in await visit.services.documents.get_many(wanted)} if wanted else {}
    passages = [(d, stored[d.stored_id]) for d in bought.reply.documents if d.stored_id in stored and d.stored_id]
    return [*fresh, *passages]


def _document(brought: SourceDocument, source: str, retrieved: datetime) -> Document:
    return Document(
        id=content_id(source, brought.url, brought.text),
        url=brought.url,
        title=brought.title,
        text=brought.text,
        source=source,
        origin=brought.origin,
        licence=brought.licence,
        about=brought.about,
        published_at=brought.published_at,
        retrieved_at=retrieved,
    )


async def _evidence(
    pairs: list[tuple[SourceDocument, Document]], call: Call, subject: Subject, visit: Visit
) -> list[Evidence]:
    services = visit.services
    wanted = {d: services.catalogue.datasets[d] for d in call.datasets}
    reliability = services.sources[call.source].reliability if call.source in services.sources else 0.5
    found = extract(pairs, wanted, subject.names, reliability=reliability)
    await services.documents.put_evidence(found)
    return found


def _tell(outcome: Outcome, visit: Visit) -> None:
    match outcome.status:
        case CallStatus.OK:
            message = f"{outcome.source}: {len(outcome.documents)} documents"
        case CallStatus.NO_RESULTS:
            message = f"{outcome.source}: looked and found nothing"
        case _:
            message = f"{outcome.source}: {outcome.message or outcome.status}"
    if outcome.cached:
        message += f", from the cache (${to_usd(outcome.saved):.4f} saved)"
    elif outcome.cost:
        message += f", ${to_usd(outcome.cost):.4f}"
    visit.emit(
        SourceFinished,
        message,
        SourceFinishedData(
            call_id=outcome.call_id,
            source=outcome.source,
            status=outcome.status,
            cost=to_usd(outcome.cost),
            seconds=outcome.seconds,
            cached=outcome.cached,
            saved=to_usd(outcome.saved),
            documents=len(outcome.documents),
            failure=outcome.failure,
            billed_unknown=outcome.status is CallStatus.UNKNOWN,
        ),
    )


def _shown(call: Call) -> str:
    words = [str(v) for v in call.args.values() if isinstance(v, str)]
    return (words[0] if words else ", ".join(call.datasets))[:120]
