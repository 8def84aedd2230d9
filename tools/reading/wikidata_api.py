"""What Wikidata and Wikipedia share: MediaWiki's Action API, and how a company is told from what only bears its name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from tools.base import FailureKind, Pace, SourceError
from tools.fetching import Door
from tools.web.page import seconds_of

PACE = Pace(per_second=5.0, burst=5, at_once=3)
"""Wikimedia asks for at most three requests at a time; the rate is ours, well under what it allows."""
MAX_LAG = 5
"""Seconds that the database copies may be behind before we are to come back later (Manual:Maxlag parameter)."""
CONTACT = "nothing; Wikimedia asks for a contact, which is sent when DOSSIER_CONTACT is set"

_BUSY = ("maxlag", "ratelimited", "cirrussearch-too-busy", "toomanyrequests")
_DOWN = ("readonly", "internal_api_error", "cirrussearch-backend")
_ABSENT = ("no-such-entity", "missingtitle", "nosuchpageid")
_DENIED = ("readapidenied", "permissiondenied", "blocked", "autoblocked")
_WRONG = ("missingparam", "invalid", "unknown_", "bad", "param", "too", "no-commonly-supported", "not-recognized")
_KINDS = (
    (_BUSY, FailureKind.RATE_LIMITED),
    (_DOWN, FailureKind.UNREACHABLE),
    (_ABSENT, FailureKind.NOT_FOUND),
    (_DENIED, FailureKind.AUTH),
    (_WRONG, FailureKind.INVALID_ARGUMENTS),
)

_LEGAL = frozenset(
    "inc incorporated corp corporation co company limited ltd llc llp lp plc ag gmbh se sa sas sarl bv nv ab as asa oy oyj "
    "spa srl kk pty pte kg aps".split()
)
_TYPOGRAPHIC = str.maketrans("’‘–—", "''--")
_COMPANY = re.compile(
    r"\b(?:compan(?:y|ies)|corporation|conglomerate|enterprise|firm|business|start-?up|multinational|manufacturer|maker"
    r"|automaker|retailer|wholesaler|bank|insurer|airline|carrier|brewery|publisher|developer|provider|vendor|supplier"
    r"|distributor|operator|producer|broker(?:age)?|consultancy|agency|studios?|marketplace|chain|network|platform|service"
    r"|exchange|utility|partnership|holding|subsidiary|group|brand|co-?operative|non-?profit|organi[sz]ation|foundation)\b",
    re.IGNORECASE,
)
_NO_COMPANY = re.compile(
    r"\b(?:fictional|fictitious|disambiguation|surname|family name|given name|wikimedia|episode|mythological)\b"
    r"|\b(?:film|novel|album|song|single|series|musical|video game|book|play) (?:by|directed|from|of|released|written|about)\b"
    r"|\b(?:singer|rapper|musician|actor|actress|politician|footballer|magnate|entrepreneur|business ?(?:wo)?man"
    r"|businessperson|business executive)\b|\b(?:music(?:al)?|rock|pop|girl|boy|vocal|ethnic) group\b"
    r"|\b(?:developed|created|published) by\b|\b(?:city|town|village|river|genus|species) (?:in|of)\b|^\d{4} ",
    re.IGNORECASE,
)


async def ask(door: Door, api: str, params: Mapping[str, str | int]) -> dict[str, JsonValue]:
    """One question to an Action API. Raises SourceError: the API's own errors come with status 200."""
    page = await door.get(api, {**params, "format": "json", "formatversion": 2, "maxlag": MAX_LAG})
    found = page.json_object()
    if "error" in found or "errors" in found:
        raise _refusal(found, door, seconds_of(page.headers.get("retry-after")))
    return found


def _refusal(found: Mapping[str, JsonValue], door: Door, retry_after: float | None) -> SourceError:
    """The API's error: `error` in its older form, a list `errors` in the newer ones."""
    said = found.get("error") or next(iter(items(found.get("errors"))), None)
    if not isinstance(said, dict) or not text(said.get("code")):
        return SourceError(FailureKind.MALFORMED, f"{door.source} answered with an error of an unknown shape.")
    code = text(said.get("code"))
    why = text(said.get("info") or said.get("text"))[:200]
    kind = next((k for codes, k in _KINDS if code.startswith(codes)), FailureKind.MALFORMED)
    return SourceError(kind, door.http.scrub(f"{door.source} answered `{code}`: {why}"), retry_after=retry_after)


# --- names ------------------------------------------------------------------------------------------------------------


def name_words(name: str) -> list[str]:
    """The words of a name in any script: lower case, without accents and punctuation, without a leading `the`."""
    plain = unicodedata.normalize("NFKD", name.translate(_TYPOGRAPHIC).casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = plain.replace("'", "").replace(".", "").replace("&", " and ").replace("+", " plus ")
    found = [w for w in re.split(r"[\W_]+", plain) if w]
    return found[1:] if len(found) > 1 and found[0] == "the" else found


def name_key(name: str) -> str:
    """What two spellings of one company's name have in common: legal forms at the end are left out."""
    found = name_words(name)
    while len(found) > 1 and found[-1] in _LEGAL:
        found.pop()
        while len(found) > 1 and found[-1] == "and":
            found.pop()
    return " ".join(found)


def same_name(a: str, b: str) -> bool:
    """Whether two names are one, legal forms, case, accents, punctuation and spaces aside."""
    left, right = name_key(a), name_key(b)
    return bool(left) and (left == right or left.replace(" ", "") == right.replace(" ", ""))


def short_name(name: str) -> str:
    """The name as it is written, without the legal form at its end: searches by prefix find more with it."""
    found = name.split()
    while len(found) > 1 and (name_words(found[-1]) or ["co"])[-1] in _LEGAL | {"and"}:
        found.pop()
    return " ".join(found).rstrip(",;& ")


def plain_name(name: str) -> str:
    """A name as it may stand in a search or a title: without what MediaWiki reads as syntax."""
    return " ".join(re.sub(r'["#<>\[\]|{}\x00-\x1f]', " ", name).split()).lstrip("!-~:").strip()[:200]


def company_like(description: str) -> bool:
    """Whether a short description speaks of a company."""
    return _COMPANY.search(description) is not None and _NO_COMPANY.search(description) is None


# --- JSON of unknown shape --------------------------------------------------------------------------------------------


def table(value: JsonValue) -> Mapping[str, JsonValue]:
    """A JSON object; an empty one where there is something else (`formatversion=1` writes an empty object as a list)."""
    return value if isinstance(value, dict) else {}


def items(value: JsonValue) -> Iterator[dict[str, JsonValue]]:
    """The objects of a list, or of an object's values: `formatversion=1` gives pages by their number."""
    inside = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []
    return (one for one in inside if isinstance(one, dict))


def text(value: JsonValue) -> str:
    """A string on one line; empty where there is something else."""
    return " ".join(whole(value).split()) if isinstance(value, str) else ""


def whole(value: str) -> str:
    """A string that can be written: JSON may carry halves of characters, which no file and no address takes."""
    return value.encode("utf-8", "replace").decode()


def flag(value: JsonValue) -> bool:
    """A truth: `true`, or the empty string that `formatversion=1` writes for it."""
    return value is True or value == ""
