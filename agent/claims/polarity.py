"""How firmly a thing is said: denied, planned, possible, former, or plainly so."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.claims.cleaning import clean
from agent.claims.passages import main_clauses, rests_on
from agent.claims.quoted import Quoted
from agent.claims.reading import MAX_SENTENCE, Reading
from agent.claims.wording import ROLES

_CUES = {
    "negation": re.compile(
        r"\bnot\b(?! only)|n't\b|\bcannot\b|\bnever\b|\b[Nn]o\b(?! (?:longer|less|fewer|more)\b|\. ?\d| \d)|\bnone\b|"
        r"\bneither\b|\bnor\b|\bwithout\b"
        r"|\bfail(?:s|ed|ing)? to\b|\bunable to\b|\b(?:refus|declin)(?:es|ed|ing|e)? to\b|\black(?:s|ed)?\b|"
        r"\bcancel\w*|\babandon\w*"
        r"|\bscrapp\w*|\bcalled off\b|\bruled? out\b|\brejected\b|\bstop(?:s|ped)? \w+ing\b|\bceased?\b|\binstead "
        r"of\b|\brather than\b|\bunlikely\b|\bhardly\b|\bdidnt\b|\bwont\b"
    ),
    "denial": re.compile(r"\b(?:den(?:y|ies|ied|ying)|disput(?:e|es|ed)|refut\w+|falsely|untrue|false)\b", re.I),
    "possibility": re.compile(
        r"\b(?:may(?! \d)|might|could|perhaps|possibl[ey]|potential(?:ly)?|is considering|are considering|considers|"
        r"consider|considering|"
        r"explor(?:es|ing)|weighs|weighing|in (?:early |advanced )?(?:talks|discussions)|evaluating|mulls|mulling)\b"
    ),
    "future": re.compile(r"(?<![Yy]ou )\bwill\b(?! [A-Z])|\bshall\b|(?<![Yy]ou)'ll\b|\bwould\b|\bgoing to\b"),
    "plan": re.compile(
        r"\bplan(?:s|ned|ning)?(?: \w+)? to\b|\bplanned\b|\bplans (?:for|a|an)\b|\bintend(?:s|ed|ing)?\b|"
        r"\bintention\b|\baim(?:s|ed|ing)? (?:to|for|at)\b"
        r"|(?<!than )\bexpect(?:s|ed|ing|ations?)?\b|\banticipat\w+|(?<!of )(?<!beat )\bforecast\w*|\bproject(?:s|ed) (?:to|that|"
        r"revenue|sales)\b|\bseek(?:s|ing)? to\b"
        r"|\bsought to\b|\bpropos(?:es|ed|al|ing)\b|\bguidance\b|\bset to\b|\bslated\b|\bscheduled\b|\bpoised to\b|"
        r"\bdue to [a-z]+e\b"
        r"|\bagree(?:s|d|ment)?(?: (?:in|on) [\w ,]{3,24}?)? to\b|\bletter of intent\b|\bpath to\b"
        r"|\b[A-Z][\w.&'-]* plans (?!are\b|start|cost|begin|include|range|from\b|with\b|and\b|or\b|in\b|of\b)[a-z]"
        r"|\bhopes? to\b|\bwants? to\b|\bon track to\b|\bcommit(?:s|"
        r"ted|ting)? (?:to\b|up to\b|[$€£])"
        r"|\btarget(?:s|ing) (?:a|an|\$|\d)|^(?:[A-Z][\w.&'-]* ){1,4}to [a-z]{3,}\b"
    ),
    "hearsay": re.compile(
        r"\b(?:reportedly|alleged(?:ly)?|allegations?|rumou?r(?:s|ed)?|speculat\w+|people familiar|sources (?:say|"
        r"said)|believed to|"
        r"said to (?:be|have)|claims? that|unconfirmed|purported(?:ly)?)\b",
        re.I,
    ),
    "former": re.compile(
        r"\bformer(?:ly)?\b|\bex-\w|\bpreviously\b(?! (?:announced|disclosed|reported))|\bprevious (?!quarter|year|"
        r"month|period|week)"
        r"|\bno longer\b|\buntil\b|\bused to\b|\berstwhile\b|\boutgoing\b|\bresign\w*|\bstepped down\b|\bstep(?:s|"
        r"ping)? down\b|\bdeparted\b"
        r"|\bonetime\b|\bretired\b|\bthen-[A-Z]",
        re.I,
    ),
    "temporary": re.compile(
        r"\b(?:interim|temporar(?:y|ily)|acting (?=[A-Z]{2,}|president|chair|head|director|general))", re.I
    ),
    "incoming": re.compile(r"\b(?:incoming|designate|-elect|elect)\b", re.I),
    "condition": re.compile(r"\b(?:if|unless|subject to|contingent|provided that|pending|assuming)\b", re.I),
    "part": re.compile(
        r"\b(?:one|some|part) of (?:the|its|their|our)\b|\bamong (?:the|its)\b|\bpartial(?:ly)?\b", re.I
    ),
    "praise": re.compile(
        r"\b(?:calls?|calling|describes?|describing|bills?|positions?) (?:itself|themselves)\b[^.;]{0,40}"
        r"\b(?:leading|leader|largest|biggest|best|most|first|only|fastest|top)\b",
        re.I,
    ),
    "past": re.compile(
        r"\b(?:was|were|served as|serving as|had been|worked as)\s+"
        r"(?!(?:formerly|previously)\b)(?!(?:\w+ly )?(?:appointed|named|elected|promoted|hired|made)\b)"
        r"(?:(?:the|a|an|its|our|their)\s)?(?:[\w'&.-]+\s){0,2}?"
        rf"(?:{'|'.join(sorted(ROLES))}|president|chair|director|head|customer|partner|subsidiary|leader)\b"
    ),
}
_WHOLE_SENTENCE = ("denial", "hearsay", "condition")
_SAID = {
    "negation": "a negation",
    "denial": "a denial",
    "possibility": "a possibility",
    "future": "the future",
    "plan": "a plan",
    "hearsay": "hearsay",
    "former": "something former",
    "temporary": "something temporary",
    "incoming": "something to come",
    "condition": "a condition",
    "part": "one among several",
    "praise": "what it calls itself",
    "past": "something past",
}


def _cues(text: str) -> set[str]:
    return {name for name, cue in _CUES.items() if cue.search(text)}


def _polarity_conflict(sentence: Reading, clauses: str, whole: str) -> str:
    """What the sentence states more or less firmly than the part of the quote it rests on."""
    mine = _cues(sentence.text)
    theirs = {c for c in _cues(clauses) if c not in _WHOLE_SENTENCE} | {c for c in _cues(whole) if c in _WHOLE_SENTENCE}
    # `will open` told as `plans to open` claims less, not more
    if "plan" in mine and "future" in theirs and "future" not in mine:
        theirs = (theirs - {"future"}) | {"plan"}
    if "plan" in mine and "plan" in theirs:
        mine, theirs = mine - {"future"}, theirs - {"future"}
    for cue in _CUES:
        if cue in theirs and cue not in mine:
            return f"the quote states {_SAID[cue]}; the sentence does not"
        if cue in mine and cue not in theirs:
            return f"the sentence states {_SAID[cue]}; the quote does not"
    return ""


def cut_off(quoted: Quoted, text: str) -> str:
    """A negation, plan or the like that the cut of the quote left behind, in the words right before it."""
    start = max(0, quoted.place)
    left = re.split(r"[.!?;:,\n\r•|]", quoted.document_text[max(0, start - 120) : start])[-1]
    if not left.strip() or quoted.quote[:1].isspace():
        return ""
    lost = _cues(clean(left)) & {"negation", "denial", "possibility", "plan", "future", "former", "hearsay"}
    lost -= _cues(clean(text[:MAX_SENTENCE]))
    return f"the quote was cut after {left.strip()[-40:]!r}" if lost else ""


def polarity_problem(sentence: Reading, quotes: Sequence[Reading], known: frozenset[str]) -> str:
    """Where every quote states a clause of the sentence more or less firmly than the sentence does."""
    for said in main_clauses(sentence, known):
        found = [[_polarity_conflict(said, part, whole) for part, whole in rests_on(said, q, known)] for q in quotes]
        ranked = [max(ps, key=len, default="") for ps in found]
        if ranked and all(ranked):
            return ranked[0]
    return ""
