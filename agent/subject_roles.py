"""What part a name plays in a sentence: the company asked about, the seller who asks, or a rival in passing."""

from __future__ import annotations

import re

STRONG = 4
"""The sentence is about this company: `Research X`, `X's revenue`."""
OBJECT = 3
"""The sentence says or asks something of it: `Is X hiring?`"""
PLAIN = 1
RIVAL = -1
"""Mentioned for comparison: `a competitor of X`."""
SELLER = -8
"""The one who asks: `for us at X`."""

GENERIC = frozenset(
    """
    a about account accounts acquisition after all also an analysis and any are article as at background be become
    before being best
    biggest board brief briefing budget business businesses but buy by buyer buyers call calls can candidate case cash
    ceo cfo challenges cio
    ciso client clients cloud cmo company companies compare compared compete competes competing competition
    competitive competitor
    competitors could cost cro cto culture current customer customers data deal deals demo describe did do does doing
    dossier earnings email
    employees engineering event every everything executive executives expansion explain facts figures financial
    financials find firm first fit focus
    follow for founder founders friday from full fund funding funds generate get getting give good growth have he
    headcount headquarters
    headquartered hello help her hi him hiring history how i if in industry info information initiatives insight
    insights intelligence
    investment investments investors is it its job jobs key know last latest latestnews launch lead leader leaders
    leadership leads
    learn like list look main make makes management many market markets me meeting meetings might monday month more
    most much my
    need new news next not now number of offer offering on one open opportunity or org organisation organization our
    out outlook
    outreach over overview own owner partner partners partnership partnerships people person pitch plan plans please
    position positioning potential practices
    prepare presence president press pricing priorities priority product products profile profit profitability
    prospect prospecting prospects
    provide quarter question questions quick rate recent recently report research results revenue risks rival rivals
    roadmap role roles
    sale sales security segment sell seller selling sells services she should show size so solution solutions some
    someone stack
    start state stock strategy summarise summarize summary support talking target team teams tech technologies
    technology tell than thank
    thanks that the their them then there these they thing things this those through to today tomorrow tool tools top
    trends trends
    tuesday update updates us use uses using value vendor vendors versus very vp vs want was we wednesday week what
    when where which
    who whom whose why will with work worth would write year years yes you your
    thursday saturday sunday january february march april june july august september october november december
    """.split()
)  # fmt: skip
"""Words that a question has anyway; none of them starts an unlisted company's name."""

_ACRONYMS = frozenset(
    """
    AI AM API APAC APIS AR ARR AE AES AWS B2B B2C BDR BI CAC CDN CEO CFO CIO CISO CMO COO CPA CPO CRM CRO CSM CSV CTO
    CX DACH DEI DEV
    DNS EBIT EMEA EPS ERP ESG ETA ETL EU EV FAQ FY GDP GDPR GPU GTM HCM HQ HR HTTP IAM ICP IOT IP IPO IT ITSM KPI
    LATAM LLM LTV MA ML MQL MRR
    MSP NDA NLP NPS NYSE OEM OK OKR PDF PE PLG PM POC POS PPT PR QA QBR R RFP ROI SAAS SDK SDR SEC SEO SIEM SKU SLA
    SMB SQL SRE SSO
    SVP TAM TCO TV UI UK UN URL US USA USD UX VC VP WFH XML A I
    """.split()
)  # fmt: skip

_STRONG_BEFORE = re.compile(
    r"(?:\b(?:research(?:ing)?|investigat(?:e|ing)|analy[sz]e|profile|assess|evaluat(?:e|ing)|tell (?:me|us) (?:more "
    r"|all |everything )?about"
    r"|know about|learn (?:more )?about|what about|how about|find out about|info(?:rmation)? (?:on|about)|brief "
    r"(?:me |us )?(?:on|about|for)|briefing (?:on|for)"
    r"|look(?:ing)? (?:into|at|up)|dig into|deep dive (?:on|into)|background (?:on|for)|overview of|summary of"
    r"|summari[sz]e|report on|dossier (?:on|for)"
    r"|(?:meet|meeting|call|calls|demo|chat|interview|lunch|appointment|qbr|deal) with|meet|prepar(?:e|ing) (?:me "
    r"|us )?for|pitch(?:ing)? (?:to )?|sell(?:ing)? (?:\w+ ){0,3}to"
    r"|outreach to|e-?mail to|write to|reach out to|approach(?:ing)?|monitor(?:ing)?|track(?:ing)?|keep an eye on"
    r"|watch|update(?:s|d)? (?:me )?on"
    r"|(?:our|the|my) (?:prospect|account|target|lead)|prospect|target account|company (?:called|named)|questions? "
    r"about|switch to|turn to|now(?: for| do)?"
    r")|(?:subject|company|prospects?|accounts?|targets?)\s*:|^and)[\s:,]+(?:the company |a company called |company "
    r"|prospect |our (?:prospect|account),? |a |the )?$",
    re.IGNORECASE,
)
_OBJECT_BEFORE = re.compile(
    r"\b(?:does|do|did|is|are|was|has|have|had|will|can|could|should|would|of|at|on|about|inside|by|who(?:'s| is)?"
    r"|leads?|runs?|heads?|manages?|founded|owns?"
    r"|into|between|with|compare|why|how|when|where|news (?:from|on|about|for))\s+(?:the |company )?$",
    re.IGNORECASE,
)
_AFTER_OBJECT = re.compile(
    r"^(?:['’]s?(?=\s)|\s+(?:does|do|did|is|are|was|has|have|had|will|reported|reports|announced|announces|said"
    r"|raised|acquired|hired|hires|launched|plans|"
    r"uses?|makes?|sells?|grew|hiring|revenue|leadership|earnings|ceo|cfo|cto|competitors|customers|products|pricing"
    r"|financials|headcount|employees|news|funding|"
    r"strategy|headquarters|hq|stock|tech stack|technology|overview|profile|inc|corp)\b|\s+as\s+(?:a|an|our|the)\b)",
    re.IGNORECASE,
)
_RIVAL_BEFORE = re.compile(
    r"\b(?:rivals?|competitors?|alternatives?|competition|challengers?|peers?|vs\.?|versus|than|unlike|like|similar"
    r"|compared|comparable|compares? (?:with|to|against)|instead|replac(?:e|es|ing)"
    r"|against|compet(?:e|es|ing)|customers?|clients?|partners?|subsidiar(?:y|ies)|acquired|owned|backed|funded"
    r"|former(?:ly)?|ex-?|using|uses?|running"
    r"|except|other than|migrat(?:e|ing))\s*(?:of|to|with|for|from|by|at|on|off)?\s+(?:the )?$",
    re.IGNORECASE,
)
_US_RIVAL = re.compile(
    r"(?:\bus(?:,| as)\s+|\b(?:we|i)(?:'re| are|'m| am)\s+|\bwe\s+|\bas\s+)(?:(?:an?|the|one of the|also|direct|main"
    r"|close|big|biggest)\s+)*"
    r"(?:rivals?|competitors?|alternatives?|challengers?|competing|compete|peers?)\s*(?:of|to|with|for)?\s+(?:the )?$",
    re.IGNORECASE,
)
"""`for us, a rival of X`: X says who asks, not whom the question is about."""
_SELLER_BEFORE = re.compile(
    r"(?:\b(?:prospect|customer|account|lead|target|fit|opportunity|partner|buyer|client|match|vendor|seller"
    r"|candidate)s?,?\s+for"
    r"|\bon behalf of|\b(?:we|i)(?:'re| are|'m| am)(?: an? [\w ]{1,30}?)?(?: at| from| with| for)?|\bi(?:'ve)? "
    r"work(?:ing)? (?:at|for)|\b(?:we|i|us|me|team|rep|ae|sdr|bdr|seller|colleagues)"
    r" (?:here )?(?:at|from)|\bhere at|\b(?:our|my) (?:company|employer|firm|product|offering)(?: is|,)?|\bwe sell"
    r"|\bselling|\bsells?|\bas(?: a seller (?:at|for))?|\bat"
    r"|\bsell(?:ing)? (?:for|on behalf of)|\bwork(?:ing)? (?:at|for)|\bfor us(?: at|:|,)?|\bvendor(?: is|:)?"
    r"|\bseller(?: is|:)?)\s+$",
    re.IGNORECASE,
)
_SELLER_AFTER = re.compile(
    r"^(?:,?\s+(?:we|i|our team|i'd|we'd|we're)\b|['’]s? (?:sales|account) (?:team|executive|rep)\b)", re.IGNORECASE
)
_SELLS_AFTER = re.compile(r"^,?\s*(?:where i work|my (?:company|employer)|our (?:company|employer))\b", re.IGNORECASE)
_PRONOUN = re.compile(
    r"\b(?:its?|they|them|their|theirs|he|she|the company|this company|that company|this account)\b", re.IGNORECASE
)

_FINE = r"(?P<name>[^.?!;:\n(]{2,80})"
_SLOT_PATTERNS = (
    r"\b(?:research|investigate|profile|analy[sz]e|assess|evaluate|look (?:into|up)|dig into|tell (?:me|us) "
    r"(?:more |all |everything )?about"
    r"|(?:what do (?:we|you) )?know about|learn about|brief (?:me |us )?on|overview of|background on|summary of"
    r"|report on|dossier on|info(?:rmation)? on"
    r"|(?:meeting|call|demo|chat) with|prepare (?:me |us )?for|pitch(?:ing)?(?: to)?|sell(?:ing)? to|outreach to"
    r"|e-?mail to|write to|news (?:on|about|from)"
    r"|monitor|update (?:me )?on|what about|company called|how is|how big is|when was|where is|why (?:is|does"
    r"|did))\s+" + _FINE,
    r"\bwhat (?:does|do|did) " + r"(?P<name>[^.?!;:\n]{2,60}?)" + r" (?:do|sell|make|offer|provide|build|use)\b",
    r"\bwho (?:leads|runs|heads|founded|owns|is behind|manages|are the (?:founders|leaders|competitors|rivals"
    r"|customers) of|competes with)\s+" + _FINE,
    r"\b(?:ceo|cfo|cto|ciso|coo|cro|cmo|president|founders?|leadership|revenue|headcount|competitors|rivals"
    r"|customers|products|strategy|funding|priorities|chair(?:man|woman)?)"
    r" (?:of|at|for)\s+" + _FINE,
    r"\b(?:does|is|has|are|did|will)\s+(?P<name>[^.?!;:\n]{2,60}?)\s+(?:hiring|growing|profitable|public|private"
    r"|have|use|sell|compete|raise[d]?|a good)\b",
)
SLOTS = (
    *(re.compile(pattern, re.IGNORECASE) for pattern in _SLOT_PATTERNS),
    re.compile(r"\b(?P<name>[A-Z][\w&.-]*(?: [A-Z][\w&.-]*){0,3})['’]s\s"),
)
"""Where a sentence has room for the name of a company."""


def ticker_like(text: str) -> bool:
    """Whether a word in capitals may be a ticker, and is no everyday abbreviation."""
    return text.isupper() and 2 <= len(text.replace(".", "")) <= 5 and text not in _ACRONYMS


_NEAR = 120
"""Characters on either side of a name that can say what part it plays; keeps a pasted page from costing minutes."""


def _before(message: str, start: int) -> str:
    """What stands near before `start`; a cut is marked, so that it does not look like the start of the message."""
    return message[:start] if start <= _NEAR else f"x {message[start - _NEAR : start]}"


def role(message: str, start: int, end: int) -> int:
    """How much speaks for the name at `start:end` being the company asked about; negative when it is someone else."""
    before, after = _before(message, start), message[end : end + _NEAR]
    before = re.split(r"[.?!;\n]\s", before)[-1]
    strong = _STRONG_BEFORE.search(before) is not None
    if _RIVAL_BEFORE.search(before) and not strong:
        return SELLER if _US_RIVAL.search(before) else RIVAL
    if not strong and _is_seller(before, after):
        return SELLER
    if strong and not re.match(r"^,?\s+(?:we|i)\s+(?:sell|are|am|offer)\b", after, re.IGNORECASE):
        return STRONG
    if _AFTER_OBJECT.match(after):
        return STRONG if after[:1] in "'’" else OBJECT
    return OBJECT if _OBJECT_BEFORE.search(before) else PLAIN


def _is_seller(before: str, after: str) -> bool:
    if _SELLS_AFTER.match(after):
        return True
    seller = _SELLER_BEFORE.search(before)
    if seller is not None:
        phrase = seller.group(0).strip().lower()
        if phrase in ("at", "as"):
            return (
                _SELLER_AFTER.match(after) is not None
                or re.search(
                    r"\b(?:i'm|i am|we're|we are)\s+(?!meeting|calling|preparing|looking|selling|pitching"
                    r"|researching)[^.?!]{0,30}\bat\s+$",
                    before,
                    re.IGNORECASE,
                )
                is not None
            )
        return True
    return not before.strip() and re.match(r"^,\s+(?:we|i)\b", after, re.IGNORECASE) is not None


def at_sentence_start(message: str, start: int) -> bool:
    """Whether a capital at `start` says nothing, because a sentence begins there."""
    return (
        re.search(
            r"(?:^|[.?!:;\n]\s*|^[\"'(“]|^(?:and|so|but|ok|okay|hi|hello|please),?\s+)$",
            _before(message, start),
            re.IGNORECASE,
        )
        is not None
    )


def follows_up(message: str, start: int) -> bool:
    """Whether a pronoun before `start` points at the company spoken of earlier."""
    return _PRONOUN.search(message[:start]) is not None
