"""The checks of one claim, put together; each says what disagrees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from agent.claims.actors import about_another, foreign_actor, person_misplaced
from agent.claims.cleaning import clean
from agent.claims.direction import only_opposed, opposite, swapped
from agent.claims.figures import date_problem, number_problem
from agent.claims.names import mentions, name_words, stands, unknown_name
from agent.claims.passages import main_clauses, rests_on
from agent.claims.polarity import cut_off, polarity_problem
from agent.claims.quoted import Quoted, around
from agent.claims.reading import MAX_QUOTE, MAX_SENTENCE, Reading, read
from agent.claims.recall import qualifier_lost, recall_problem
from agent.claims.roles import role_conflict
from agent.claims.sentences import split_sentences
from agent.records import Check

_Name = Literal["quote", "numbers", "dates", "entity", "recall", "polarity", "contradiction"]


def _check(name: _Name, problem: str) -> Check:
    return Check(name=name, passed=not problem, detail=problem)


def _first(problems: Iterable[str]) -> str:
    """The first that is one; nothing after it is looked at."""
    return next((p for p in problems if p), "")


def _quote_problem(quoted: Sequence[Quoted]) -> str:
    if not quoted:
        return "no quote is cited"
    for q in quoted:
        if not clean(q.quote[:MAX_QUOTE]):
            return "the quote is empty"
        if q.quote not in q.document_text:
            return "the quote does not stand in the stored text"
    return ""


def _repeats(text: str, quote: str) -> bool:
    """Whether the sentence is the quote, or a whole sentence of it, but for white space."""
    wanted = " ".join(text.split())
    if not wanted:
        return False
    if wanted == " ".join(quote.split()):
        return True
    if len(wanted) > len(quote) or wanted not in " ".join(quote.split()):
        return False
    return any(wanted == " ".join(quote[a:b].split()) for a, b in split_sentences(quote))


def check_claim(
    text: str,
    quoted: Sequence[Quoted],
    names: Sequence[str],
    *,
    kind: Literal["fact", "inference"] = "fact",
    vendor: Sequence[Quoted] = (),
    vendor_names: Sequence[str] = (),
) -> tuple[Check, ...]:
    """The checks of one claim about the company called `names`, each with what disagrees.

    A `fact` must say what its quotes say. An `inference` is the writer's own advice: it needs a quote about the
    prospect and one about the vendor, and may hold no number, date or proper name that these do not.
    """
    if kind == "inference":
        return _check_inference(text, quoted, names, vendor, vendor_names)
    return _check_fact(text, quoted, names, vendor_names)


def _check_fact(
    text: str, quoted: Sequence[Quoted], names: Sequence[str], vendor_names: Sequence[str]
) -> tuple[Check, ...]:
    """A fact says what its quotes say; word for word, it only has to be about the subject and cut cleanly."""
    cut = _first(cut_off(q, text) for q in quoted if q.quote)
    abouts = _first(about_another(q, names) for q in quoted) if quoted else "no document is cited"
    first = _check("quote", _quote_problem(quoted))
    if any(_repeats(text, q.quote) for q in quoted):
        passed = (_check("numbers", ""), _check("dates", ""))
        return (first, *passed, _check("entity", abouts), _check("recall", ""), _check("polarity", cut))
    if len(text) > MAX_SENTENCE:
        too_long = f"{len(text)} characters are more than one sentence"
        return (first, _check("entity", abouts), _check("recall", too_long))
    known = name_words(names, vendor_names)
    sentence, quotes = read(text), [read(q.quote) for q in quoted]
    window = [*quotes, *(read(around(q)) for q in quoted), *(read(q.title) for q in quoted)]
    numbers = (number_problem(sentence, s, quotes, known, place=True) for s in sentence.numbers[:60])
    return (
        first,
        _check("numbers", _first(numbers)),
        _check("dates", date_problem(sentence, quotes, quoted, known, place=True)),
        _check("entity", abouts or _first(_entity_problems(sentence, quoted, quotes, names, known))),
        _check("recall", _first(_wording_problems(sentence, quotes, window, names, known))),
        _check("polarity", cut or polarity_problem(sentence, quotes, name_words(names))),
    )


def _entity_problems(
    sentence: Reading,
    quoted: Sequence[Quoted],
    quotes: Sequence[Reading],
    names: Sequence[str],
    known: frozenset[str],
) -> Iterable[str]:
    sources = [*quotes, *(read(q.title) for q in quoted), *(read(q.about) for q in quoted)]
    unknown = unknown_name(sentence, sources, known)
    yield f"{unknown} is not in the quote" if unknown else ""
    namesake = next((m for m in mentions(sentence, names) if m.rival and not stands(m.rival, sources)), None)
    yield f"{' '.join(namesake.rival).title()} is not {names[0]}" if namesake else ""
    others = [foreign_actor(sentence, q, names, known) for q in quotes]
    yield f"the quote says it of {others[0]}, not of {names[0]}" if others and all(others) else ""


def _wording_problems(
    sentence: Reading, quotes: Sequence[Reading], window: Sequence[Reading], names: Sequence[str], known: frozenset[str]
) -> Iterable[str]:
    yield recall_problem(sentence, window, known)
    yield role_conflict(sentence, quotes, known, names)
    yield swapped(sentence, quotes, names, known)
    for part in main_clauses(sentence, known):
        clauses = [clause for q in quotes for clause, _ in rests_on(part, q, known)]
        for problem in (opposite, qualifier_lost):
            found = [problem(part, clause) for clause in clauses]
            yield found[0] if found and all(found) else ""
        yield only_opposed(part, clauses)
    yield person_misplaced(sentence, quotes, known)


def _check_inference(
    text: str, quoted: Sequence[Quoted], names: Sequence[str], vendor: Sequence[Quoted], vendor_names: Sequence[str]
) -> tuple[Check, ...]:
    """An inference rests on both sides and invents no figure, date or name."""
    everything = [*quoted, *vendor]
    missing = "" if quoted and vendor else f"no quote about the {'vendor' if quoted else 'prospect'} is cited"
    known = name_words(names, vendor_names)
    sentence, quotes = read(text), [read(q.quote) for q in everything]
    told = [q for q in vendor if q.about and vendor_names]
    abouts = _first(about_another(q, names) for q in quoted) or _first(about_another(q, vendor_names) for q in told)
    sources = [*quotes, *(read(q.title) for q in everything), *(read(q.about) for q in everything)]
    unknown = unknown_name(sentence, sources, known)
    long = f"{len(text)} characters are too many to check" if len(text) > MAX_SENTENCE * 2 else ""
    numbers = (number_problem(sentence, s, quotes, known, place=False) for s in sentence.numbers[:60])
    empty = "" if sentence.tokens else "the sentence says nothing"
    return (
        _check("quote", missing or _quote_problem(everything) or long or empty),
        _check("numbers", _first(numbers)),
        _check("dates", date_problem(sentence, quotes, everything, known, place=False)),
        _check("entity", abouts or (f"{unknown} is not in the quotes" if unknown else "")),
    )


def supported(checks: Sequence[Check]) -> bool:
    """Whether every check passed, and there is at least one."""
    return bool(checks) and all(c.passed for c in checks)
