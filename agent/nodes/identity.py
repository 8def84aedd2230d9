"""Who a company is, where the table alone does not say: a source that knows identities is asked, through the same door."""

from __future__ import annotations

import re
from collections.abc import Iterable

from agent.nodes.calling import make_call
from agent.nodes.room import Visit
from agent.records import Call, Company, Subject, content_id, derived_id
from agent.subject import names_match
from tools.base import Identity

MAX_AGE = 180 * 86_400.0
"""Seconds for which a stored reply may say who a company is: sites and tickers change rarely."""


async def identify(subject: Subject, budgets: list[str], visit: Visit) -> Subject:
    """The subject with its site and numbers filled in; as it was, where no source knows better.

    Asked only while the company's own site is unknown: that is what most free sources start from.
    """
    if subject.company is not None and subject.company.domain:
        return subject
    hint = subject.hint()
    for source in visit.services.active.values():
        args = source.identify(hint)
        if args is None:
            continue
        plain = args.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        call = Call(
            call_id=derived_id(visit.scope.run_id, "identify", content_id(source.name, str(plain))),
            source=source.name,
            args=plain,
            datasets=(),
            max_price=source.max_price,
            max_age=MAX_AGE,
        )
        _, reply = await make_call(call, subject, budgets, 0, visit)
        found = _same(subject, reply.identities)
        if found is not None:
            return _with(subject, found, source.name)
    return subject


def _same(subject: Subject, identities: Iterable[Identity]) -> Identity | None:
    """The identity that is the subject's for certain: the same CIK, or one of its names. Nearly is not enough."""
    company = subject.company
    for one in identities:
        if company is not None and company.cik and one.cik:
            if company.cik.lstrip("0") == one.cik.lstrip("0"):
                return one
        elif any(names_match(a, b) for a in subject.names for b in (one.name, one.legal_name, *one.aliases) if b):
            return one
    return None


def _with(subject: Subject, found: Identity, source: str) -> Subject:
    # The name stays as it was asked for: whoever is asked by it again is then asked in the same words, and answers from the cache.
    known = subject.company or Company(id=re.sub(r"[^a-z0-9]+", "-", found.name.lower()).strip("-"), name=subject.name)
    company = known.model_copy(
        update={
            "legal_name": known.legal_name or found.legal_name,
            "aliases": known.aliases
            or tuple(n for n in dict.fromkeys((found.name, *found.aliases)) if n != known.name),
            "ticker": known.ticker or found.ticker,
            "cik": known.cik or found.cik,
            "domain": known.domain or found.domain,
            "wikidata_id": found.wikidata_id,
            "origin": f"{known.origin}+{source}" if known.origin else source,
        }
    )
    return subject.model_copy(update={"company": company, "matched_by": subject.matched_by or source})
