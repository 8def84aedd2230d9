"""frame: who asks, about whom, for what money. Everything after this room knows the company by its identity."""

from __future__ import annotations

from datetime import timedelta

from langgraph.types import Overwrite

from agent.asking import read_ask
from agent.calls import open_budgets
from agent.events import (
    SubjectIdentified,
    SubjectIdentifiedData,
    VendorContextLoaded,
    VendorContextLoadedData,
)
from agent.nodes.identity import identify
from agent.nodes.room import Update, Visit
from agent.records import (
    Ask,
    Document,
    Evidence,
    Question,
    StopReason,
    Subject,
    Vendor,
    content_id,
    to_micros,
)
from agent.state import State
from agent.subject import find_subject, parse_vendor


async def frame(state: State, visit: Visit) -> Update:
    """Message, vendor and thread in; subject, seller and opened budgets out. Clears what belonged to the run before."""
    services, scope = visit.services, visit.scope
    ask = read_ask(state, services.settings, services.catalogue)
    started = visit.now()
    if scope.deadline_at is None:
        scope.deadline_at = started + timedelta(seconds=ask.deadline or services.settings.run_deadline)
    consumer = services.catalogue.consumer(ask.consumer_type)
    max_cost = consumer.max_cost if ask.max_cost is None else ask.max_cost
    budgets = await open_budgets(services, scope, consumer, to_micros(max_cost), started)
    seller, vendor_evidence = await _vendor(ask, visit)
    before = state.get("subject")
    subject = find_subject(ask.message, previous=before)
    if subject is not None:
        subject = await identify(subject, list(budgets), visit)
    _tell_subject(subject, visit)
    same = subject is not None and before is not None and subject.name == before.name
    update: Update = {
        "run_id": scope.run_id,
        "started_at": started.isoformat(),
        "ask": ask,
        "subject": subject,
        "seller": seller,
        "questions": list[Question](),
        "requirements": [],
        "round": 0,
        "plan": None,
        "outcomes": Overwrite([]),
        "tried": Overwrite([]),
        "budgets": list(budgets),
        "stop_reason": None if subject is not None else StopReason.NO_SUBJECT,
        "draft": [],
        "written_by": visit.engine.name,
        "brief": None,
    }
    update["evidence"] = vendor_evidence if same else Overwrite(vendor_evidence)
    return update


async def _vendor(ask: Ask, visit: Visit) -> tuple[Vendor, list[str]]:
    """The seller's own words become a private document of this thread, so that recommendations can quote them."""
    if not ask.vendor or not ask.vendor.strip():
        return Vendor(), []
    seller = parse_vendor(ask.vendor)
    text, now, tenant = ask.vendor.strip(), visit.now(), visit.scope.thread_id
    document = Document(
        id=content_id("vendor", tenant, text),
        url="",
        title=f"What {seller.name or 'the vendor'} says it sells",
        text=text,
        source="vendor",
        origin=seller.name or "vendor",
        licence="the user's own words",
        about=seller.name,
        published_at=now,
        retrieved_at=now,
        tenant=tenant,
    )
    evidence = Evidence(
        id=content_id(document.id, "0", text, "vendor", "offerings"),
        document_id=document.id,
        start=0,
        quote=text,
        dataset="vendor",
        field="offerings",
        about=seller.name,
        title=document.title,
        source=document.source,
        origin=document.origin,
        published_at=now,
        retrieved_at=now,
        reliability=0.95,
        score=1.0,
    )
    await visit.services.documents.put([document])
    await visit.services.documents.put_evidence([evidence])
    visit.emit(
        VendorContextLoaded,
        f"Researching for {seller.name or 'a seller'}: {seller.offer}",
        VendorContextLoadedData(name=seller.name, offer=seller.offer, persona=ask.persona or ""),
    )
    return seller.model_copy(update={"document_id": document.id}), [evidence.id]


def _tell_subject(subject: Subject | None, visit: Visit) -> None:
    if subject is None:
        message = "No company was recognised in the question"
    elif subject.company is None:
        message = f"Looking for {subject.name}, which the company table does not know"
    else:
        c = subject.company
        marks = ", ".join(m for m in (c.ticker, f"CIK {c.cik}" if c.cik else "", c.domain) if m)
        message = f"The company is {c.name}" + (f" ({marks})" if marks else "")
    visit.emit(SubjectIdentified, message, SubjectIdentifiedData(subject=subject))
