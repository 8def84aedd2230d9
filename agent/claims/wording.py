"""Vocabulary: words without weight, words that mean the same, roles, measures and opposites."""

from __future__ import annotations

import re
from functools import lru_cache

import snowballstemmer

STOP = frozenset(
    "a an the this that these those and or but nor so as at by for from in into of off on onto out over per "
    "to toward towards up upon via with within without about after before between through during since until "
    "under above below across against along among around than then there here it its itself they them their "
    "theirs he him his she her hers we us our ours you your yours i me my who whom whose which what where "
    "when why how is are was were be been being am has have had having do does did done not no n't can could "
    "may might must shall should will would also both each either such same very too just more most less few "
    "fewer many much any all some other another own only if while whereas although though because however "
    "meanwhile said say says saying told announce announces announced announcing report reports reported "
    "reporting according state states stated company companies firm business inc corp corporation ltd plc "
    "llc co group plan plans planned planning intend intends intended aim aims aimed aiming expect expects "
    "expected expecting likely currently now today new one s t re ve ll d include includes included "
    "including total overall approximately nearly roughly almost least compared versus earlier ended ending "
    "year years fiscal quarter".split()
)
_IRREGULAR = dict(
    pair.split(":")
    for pair in (
        "rose:rise risen:rise rises:rise grew:grow grown:grow fell:fall fallen:fall bought:buy sold:sell led:lead "
        "won:win lost:lose built:build ran:run held:hold made:make paid:pay spent:spend went:go gone:go began:begin "
        "begun:begin left:leave became:become chose:choose chosen:choose shrank:shrink shrunk:shrink sank:sink "
        "slid:slide sought:seek took:take taken:take gave:give given:give drove:drive driven:drive wrote:write "
        "written:write came:come kept:keep met:meet brought:bring taught:teach stood:stand stands:stand broke:break "
        "spoke:speak beat:beat beaten:beat cut:cut analyses:analysis losses:loss"
    ).split()
)
_SYNONYMS = {
    word: group.split()[0]
    for group in (
        "employee employees staff people workers worker headcount workforce employs employed employ",
        "customer customers client clients",
        "acquire acquires acquired acquiring acquisition buy buys buying purchase purchased purchases takeover",
        "headquarters headquartered headquarter hq based",
        "found founded founding founder established establish",
        "rise rises rising grow grows growing growth increase increases increased increasing climb climbs climbed "
        "gain gains gained",
        "fall falls falling decline declines declined declining decrease decreases decreased decreasing drop drops "
        "dropped",
        "appoint appoints appointed appointment named names name",
        "compete competes competing competitor competitors competition rival rivals",
        "job jobs position positions opening openings vacancy vacancies",
        "use uses used using",
        "offer offers offered offering offerings provide provides provided providing",
        "make makes making maker",
        "sell sells selling seller",
    )
    for word in group.split()
}
_stem = lru_cache(maxsize=20_000)(snowballstemmer.stemmer("english").stemWord)
_ROLE_WORDS = (
    (r"chief executive(?: officer)?s?|CEOs?", "CEO"),
    (r"chief financ(?:e|ial) officer|finance chief|CFO", "CFO"),
    (r"chief operat(?:ing|ions) officer|COO", "COO"),
    (r"chief techn(?:ology|ical) officer|CTO", "CTO"),
    (r"chief information security officer|CISO", "CISO"),
    (r"chief information officer|CIO", "CIO"),
    (r"chief marketing officer|CMO", "CMO"),
    (r"chief product officer|CPO", "CPO"),
    (r"chief revenue officer|CRO", "CRO"),
    (r"chief (?:people|human resources) officer|CHRO", "CHRO"),
    (r"chief data officer|CDO", "CDO"),
    (r"chief (?:legal) officer|CLO", "CLO"),
    (r"chief commercial officer|CCO", "CCO"),
    (r"chief accounting officer|CAO", "CAO"),
    (r"senior vice[ -]president|SVP", "SVP"),
    (r"executive vice[ -]president|EVP", "EVP"),
    (r"vice[ -]president|VP", "VP"),
    (r"chair(?:man|woman|person)", "chair"),
    (r"co-?founders?", "cofounder"),
)
ROLE_SUBS = tuple((re.compile(rf"\b(?:{p})\b", re.I), r) for p, r in _ROLE_WORDS)
ROLES = frozenset(r for _, r in _ROLE_WORDS)
TOKEN = re.compile(r"[^\W_]+(?:[.'&@/+-][^\W_]+)*[+#]{0,2}")


def bare_word(word: str) -> str:
    return word[:-2] if word.lower().endswith("'s") else word.rstrip("'")


def word_key(word: str) -> str:
    """The form under which two words count as the same content word."""
    low = bare_word(word).lower()
    low = _IRREGULAR.get(low, low)
    return _SYNONYMS.get(low) or _stem(low)


OPPOSITES = tuple(
    (frozenset(word_key(w) for w in a.split()), frozenset(word_key(w) for w in b.split()))
    for a, b in (
        (
            "rise grow increase climb jump surge expand up higher improve accelerate soar more widen double triple",
            "fall decline decrease drop shrink down lower slump worsen slow contract less fewer reduce plunge "
            "narrow halve slip",
        ),
        ("profit gain", "loss"),
        ("hire recruit", "fire dismiss layoff lay"),
        ("open", "close shut"),
        ("launch introduce", "discontinue retire"),
        ("win", "lose"),
        ("buy acquire", "sell divest"),
        ("join", "leave"),
        ("start begin", "stop end cease"),
        ("before", "after"),
        ("largest biggest", "smallest"),
        ("public", "private"),
        ("majority", "minority"),
        ("best", "worst"),
        ("highest", "lowest"),
        ("upgrade", "downgrade"),
        ("domestic", "international"),
        ("import", "export"),
        ("customer", "supplier competitor vendor"),
        ("parent", "subsidiary"),
        ("gross", "net"),
        ("appoint", "resign dismiss"),
        ("above over", "below under"),
        ("add", "remove cut"),
        ("exceed beat", "miss"),
        ("raise", "cut lower"),
        ("accept approve", "reject"),
        ("enter", "exit leave"),
        ("first", "last"),
        ("quarterly", "annual yearly monthly"),
        ("success", "failure"),
        ("strong", "weak"),
        ("cheap", "expensive"),
        ("faster", "slower"),
        ("inbound", "outbound"),
        ("permanent", "temporary"),
        ("profitable", "unprofitable"),
        ("supports", "opposes"),
    )
)
DIRECTIONS = frozenset().union(*(x for pair in OPPOSITES[:1] for x in pair))
METRICS = frozenset(word_key(w) for w in "revenue income profit margin loss sales earnings cash".split())
