"""Claims against the stored text: the pure checks of `agent.claims`, fed from the store."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal

from agent.claims import Quoted, check_claim, supported
from agent.entailment import ENTAILED, Entailment
from agent.records import Check, Claim, ClaimStatus, Document, Evidence, Subject, Vendor
from agent.store.documents import DocumentStore


@lru_cache(maxsize=128)
def _checks(
    text: str,
    quoted: tuple[Quoted, ...],
    names: tuple[str, ...],
    kind: Literal["fact", "inference"],
    vendor: tuple[Quoted, ...],
    vendor_names: tuple[str, ...],
) -> tuple[Check, ...]:
    """Pure, so the second look at a claim costs nothing as long as claim, quotes and stored texts are the very same."""
    return check_claim(text, quoted, names, kind=kind, vendor=vendor, vendor_names=vendor_names)


class Bench:
    """The evidence of one brief, and the stored documents it was cut from."""

    def __init__(
        self,
        evidence: Mapping[str, Evidence],
        documents: Mapping[str, Document],
        entailment: Entailment | None = None,
    ) -> None:
        self.evidence = evidence
        self.documents = documents
        self._entailment = entailment

    @classmethod
    async def open(cls, store: DocumentStore, ids: Sequence[str], entailment: Entailment | None = None) -> Bench:
        """Load evidence and its documents afresh from the store."""
        evidence = {e.id: e for e in await store.get_evidence(list(ids))}
        wanted = list(dict.fromkeys(e.document_id for e in evidence.values()))
        documents = {d.id: d for d in await store.get_many(wanted)}
        return cls(evidence, documents, entailment)

    async def judge(self, claim: Claim, subject: Subject, seller: Vendor) -> Claim:
        """`check`, and for a fact that passes it the entailment model's word, where there is one."""
        checked = self.check(claim, subject, seller)
        if self._entailment is None or claim.kind != "fact" or checked.status is not ClaimStatus.SUPPORTED:
            return checked
        quotes = [self.evidence[i].quote for i in claim.evidence]
        p = await asyncio.to_thread(self._entailment.entails, quotes, claim.text)
        check = Check(name="entailment", passed=p >= ENTAILED, detail=f"probability {p:.2f}")
        status = ClaimStatus.SUPPORTED if check.passed else ClaimStatus.UNVERIFIED
        return checked.model_copy(update={"checks": (*checked.checks, check), "status": status})

    def check(self, claim: Claim, subject: Subject, seller: Vendor) -> Claim:
        """The claim with its checks and the status they give it."""
        cited = [self.evidence[i] for i in claim.evidence if i in self.evidence]
        checks = _checks(
            claim.text,
            tuple(self._quoted(e) for e in cited if e.dataset != "vendor"),
            subject.names,
            claim.kind,
            tuple(self._quoted(e) for e in cited if e.dataset == "vendor"),
            tuple(n for n in (seller.name,) if n),
        )
        sound = supported(checks) and len(cited) == len(claim.evidence) > 0
        return claim.model_copy(
            update={"checks": checks, "status": ClaimStatus.SUPPORTED if sound else ClaimStatus.UNVERIFIED}
        )

    def _quoted(self, e: Evidence) -> Quoted:
        document = self.documents.get(e.document_id)
        return Quoted(
            evidence_id=e.id,
            quote=e.quote,
            document_text=document.text if document else "",
            start=e.start,
            title=document.title if document else "",
            about=document.about if document else "",
            published_at=document.published_at if document else None,
            dataset=e.dataset,
            field=e.field,
        )
