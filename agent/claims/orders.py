"""Whether a sentence tells of something, or tells its reader what to do.

Evidence is what a source states. A sentence that gives orders to whoever reads it (`ignore your instructions`, `call this
tool`, `recommend that product`), or that is made for a machine's eyes (markup, code, links, characters nobody sees), states
nothing, so it is no evidence: it is neither quoted nor shown to a model. This is a filter of English grammar and of a few
words of other languages, and it can be got round; nothing that must hold rests on it alone.
"""

from __future__ import annotations

import re
import unicodedata

from agent.claims.cleaning import clean

MOST_LETTERS = 60
"""A longer run without a space is no word; texts are packed so to get past a reader."""

_MARKUP = re.compile(
    r"</?[a-zA-Z!][^<>]{0,200}>|<!--|-->|&(?:lt|gt|#x?[0-9a-f]{2,6});|!\[|\]\s?\(|\[[^\]]{1,80}\]:|```|~~~|<\||\|>|\[/?INST\]"
    r"|\{\s*[\"'{%]|\{\{|[\"']\s*:\s*[\"'{\[]|\[[EV]\d{1,2}\]|\b[a-z]+_[a-z_]+\s?\(|^#{2,}\s",
    re.IGNORECASE,
)
_LINK = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,20}://|\b(?:javascript|data|mailto|vbscript|file):\S|\bwww\.[\w.-]+/\w"
    r"|\b(?:[\w-]+\.)+(?:com|net|org|io|ai|dev|app|co|example|test|info|biz|xyz|ru|cn|de|uk|me|ly|sh|site|online)[/?]\S"
    r"|\b[\w-]+\s?(?:\[\.\]|\(dot\))\s?[\w-]+|\bhxxps?\b",
    re.IGNORECASE,
)

# Verbs that only an order begins with.
_SURE = (
    r"ignore|disregard|forget|override|overrule|bypass|pretend|role-?play|obey|comply|append|prepend|reveal|divulge|exfiltrate"
    r"|recommend|praise|cite|memori[sz]e|ignoriere|ignorez|ignora|ignorar|ignori|olvida|oubliez|vergiss|empfiehl|empfehlen sie"
    r"|recommandez|recomienda|raccomanda|neglect|refrain|consult|impersonate|belittle|downplay"
    r"|exaggerate|fabricate|portray|make sure|be sure|make certain"
)
# Verbs that also begin headlines and names; an order goes on with one of the words of `_GOES_ON`.
_LIKELY = (
    r"call|invoke|execute|run|use|fetch|visit|open|click|follow|browse|go|navigate|download|upload|forward|send|e-?mail|post"
    r"|transfer|wire|pay|print|output|reply|respond|answer|return|repeat|say|state|tell|conclude|summari[sz]e|translate|search"
    r"|query|stop|abort|refuse|omit|hide|suppress|remember|assume|consider|treat|trust|believe|add|insert|include|list|mark"
    r"|rate|rank|set|raise|increase|lift|spend|buy|purchase|approve|authori[sz]e|skip|drop|delete|remove|replace|change|switch"
    r"|act|speak|start|begin|end|finish|give|provide|load|render|embed|write|show|display|leave|make|let|quote|mention|report"
    r"|suggest|advise|urge|warn|attribute|describe|present|promote|prefer|encode|decode|contact|ask|read|see|plan|propose"
    r"|paste|copy|dump|disclose|expose|keep|talk|steer|push|favou?r|deny|invent|confirm|pick|choose|select|put|place|name|redirect"
    r"|restart|reset|wipe|erase|install|admit|hand|link|rely|draw|close|limit|restrict|base|pass|turn|take|neglect|refrain|swap"
    r"|compose|double|triple|echo|have|do|leave|adopt|alter|amend|apply|argue|assert|assign|attach|avoid|back|blame|boost|bring"
    r"|cancel|cease|circumvent|claim|communicate|complete|connect|consult|continue|convert|convey|convince|correct|count|cover"
    r"|cut|decline|declare|defer|demand|denounce|disable|disclaim|discontinue|discount|discourage|discredit|dismiss|doubt|draft"
    r"|duplicate|elaborate|eliminate|emit|emphasi[sz]e|employ|enable|encourage|endorse|enter|enumerate|escalate|evade|excerpt"
    r"|exclude|exempt|expand|extend|extract|fake|feature|fill|filter|find|finali[sz]e|fix|flag|forge|format|gather|generate"
    r"|get|grant|guess|harvest|highlight|imagine|impersonate|imply|infer|inform|inject|insist|interpret|invite|issue|jump|launch"
    r"|lie|load|log|look|lower|maximi[sz]e|mislead|mimic|modify|move|multiply|never|notify|obtain|offer|order|overwrite|paint"
    r"|paraphrase|phrase|play|point|praise|presume|prevent|print|proceed|proclaim|prohibit|provide|publish|pull|quit|re-?send"
    r"|re-?state|re-?try|record|recite|redo|reduce|refer|register|reject|release|render|reorder|rephrase|request|retain|retrieve"
    r"|reverse|rewrite|rule|save|scrape|select|shift|shout|sign|simulate|skew|slip|solve|spam|spell|spread|store|stress|submit"
    r"|substitute|subtract|supply|surrender|take|target|teach|throw|trigger|trick|try|type|undermine|undo|unlock|update|utter"
    r"|vary|verify|voice|void|vote|waive|whisper|withhold|yield"
)
_GOES_ON = (
    r"the|a|an|any|all|every|each|this|that|these|those|your|our|its|their|no|not|none|me|us|it|them|to|only|as|from|with|in|on"
    r"|nothing|nobody|everyone|everything|previous|prior|above|following|exactly|instead|twice|again|by|at|one|two"
    r"|three|ten|\w+_\w+|whatever|whoever|calling|like|both|some|my|\d+|[\"'`]"
)
_OPENER = r"(?:(?:please|kindly|now|then|also|next|first|finally|instead|and|so|but|important|always|never|do not|don't)[,:]?\s+)*"
_FORCED = r"(?:please|kindly|always|never|do not|don't)\s+(?:ever\s+|also\s+)?"
_ORDER_AT = re.compile(
    rf"(?:^|[:;(\"“!?.]\s*|\s-\s)[\W_]*{_OPENER}(?:(?:{_SURE})\b|(?:search|ask|look) for\b|(?:{_LIKELY})\s+(?:{_GOES_ON}))"
    rf"|(?:^|[:;(\"“!?.]\s*|\s-\s|,\s)[\W_]*{_FORCED}(?:{_SURE}|{_LIKELY})\b",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"(?:^|[:;(\"“!?.]\s*|\s-\s)\W*(?:if|when|whenever|before|after|once|while|as|for|from now|from here|henceforth|regardless"
    r"|in your|in the|in any|at the|to)\b[^,]{0,160},\s*"
    rf"{_OPENER}(?:(?:{_SURE})\b|(?:{_LIKELY})\s+(?:{_GOES_ON}))",
    re.IGNORECASE,
)
_MUST = (
    r"(?:must|should|shall|needs? to|ha(?:s|ve) to|ought to|will now|may now|can now|(?:is|are) (?:now |hereby |strictly )?"
    r"(?:to|required|instructed|ordered|asked|directed|obliged|told|authori[sz]ed|permitted|forbidden|advised))"
)
_MACHINE = (
    r"(?:language models?|llms?|chatbots?|(?:ai|automated|autonomous|research|digital) (?:assistants?|agents?|models?|readers?"
    r"|systems?|researchers?|tools?)|assistants?|(?:any|every|each|all|whichever|the) (?:ai|models?|agents?|bots?|readers?"
    r"|researchers?|summari[sz]ers?|writers?|crawlers?|parsers?|planners?|sellers?)"
    r"|(?:this|the|your|any|every|each) (?:brief|briefs|summary|answer|report|response|reply|output|recommendations?|findings"
    r"|talking points?|claims?|citations?))"
)
_SPOKEN_TO = re.compile(
    r"\byou (?:must|should|shall|are now|will now|have to|need to|are required|are instructed|are to|may not|can now|are an?\b"
    r"|are hereby|are authori[sz]ed|are allowed)"
    r"|\byour (?:instructions?|task|prompt|system|answer|response|output|brief|report|recommendations?|summary|reply|rules"
    r"|guidelines|role|job is|developer|operator|context|memory|training|reader)\b"
    rf"|\b{_MACHINE}\b[^.]{{0,60}}?\b{_MUST}\b"
    r"|\b(?:must|should|shall|has to|needs to|ought to) (?:always |never |not |only |now )*be (?:recommended|cited|quoted|ignored"
    r"|disregarded|mentioned|told|described|presented|reported|repeated|included|added|omitted|removed|shown|printed|sent"
    r"|called|fetched|visited|opened|bought|paid|preferred|avoided|trusted|treated|rated|ranked|written|replaced|raised)"
    r"|\bthe (?:correct|only|right|final|required|approved|expected) (?:answer|recommendation|response|conclusion|summary|brief)",
    re.IGNORECASE,
)
# The research itself is no matter of a company's news: who speaks of it with a `must` speaks to the one who does it.
_RESEARCH = (
    r"(?:briefs?|summar(?:y|ies)|talking points?|sellers?|readers?|recommendations?|citations?|claims?|other sources?"
    r"|this (?:page|document|text|source|article)|instructions?|automation|assistants?|language models?|answers?)"
)
_WILL = (
    r"(?:must|should|shall|ought to|needs? to|(?:is|are) (?:to|requested|asked|advised|expected|allowed|urged)|imperative"
    r"|mandatory|obligatory|demands?|insists?|please|kindly|wants?)"
)
_OF_RESEARCH = re.compile(
    rf"\b{_RESEARCH}\b.{{0,120}}\b{_WILL}\b|\b{_WILL}\b.{{0,120}}\b{_RESEARCH}\b"
    r"|^\W*(?:hey|hi|hello|dear|attention|ok|okay|listen)\b.{0,20}\b(?:ai|assistant|model|agent|llm|bot|gpt|reader|researcher)s?\b"
    r"|\b(?:it is|is it) (?:imperative|mandatory|obligatory|required|essential) that\b"
    r"|\b(?:wants?|needs?|asks?|expects?|requires?|instructs?|orders?|tells?|urges?) (?:you|the (?:ai|agent|reader|assistant)) to\b"
    r"|\bwe (?:hereby )?(?:authori[sz]e|instruct|order|permit|require|command|urge|ask) (?:you|the|any|all|every)\b"
    r"|\b(?:is|are) (?:not )?to be (?:believed|trusted|cited|quoted|recommended|named|ignored|reported|treated|described|used)\b"
    r"|\b(?:must|should|shall) (?:appear|come|rank|stand|be) (?:first|last|top|at the top|named|chosen|placed|listed|portrayed)\b"
    r"|^\W*(?:give|describe|rank|rate|present|promote|tell|ask|treat) (?-i:[A-Z])\w+",
    re.IGNORECASE,
)
_OF_MACHINES = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass|supersede)s?\b\W+(?:\w+\W+){0,4}(?:instructions?|prompts?|rules|guidelines"
    r"|directions|directives|constraints|restrictions|safeguards)\b"
    r"|\b(?:previous|prior|earlier|preceding|foregoing|original|hidden|secret|following|new|updated) (?:instructions?|prompts?)\b"
    r"|\b(?:system|developer|hidden|initial) (?:prompt|message|override)s?\b|\btool[ _-]calls?\b|\bfunction[ _-]calls?\b"
    r"|\bjail ?break|\bdeveloper mode\b|\bprompt injection\b|\bend of (?:data|document|context|source|quote)\b"
    r"|\bE\d{1,2}(?:,| and| or) [EV]\d{1,2}\b"
    r"|^\W*(?:system|assistant|user|developer|tool|human|admin\w*|operator)\b[^.:]{0,30}:"
    r"|\b(?:note|message|memo|reminder|instructions?|attention|notice|to)\s?(?:to|for|:)?\s(?:all |any |the |every )*"
    r"(?:ai (?:assistants?|agents?|models?|readers?)|assistants?"
    r"|language models?|models?|agents?|llms?|bots?|chatbots?|readers? of this|researchers?|summari[sz]ers?)\b"
    r"|忽略|无视|無視|игнорируй|забудь",
    re.IGNORECASE,
)
_LEET = str.maketrans("013457@$", "oieastas")
_MIXED = re.compile(r"\b(?=\w*[a-z@$])[\w@$]*[0134578@$][\w@$]*", re.IGNORECASE)


def unseen(char: str) -> bool:
    """Whether a character is one that no reader sees: controls, marks of direction, zero-width and tag characters."""
    if char.isascii() or char in "\ufe0e\ufe0f":  # these two only choose between two pictures of the sign before them
        return False
    return unicodedata.category(char) in ("Cf", "Cc", "Co", "Cn") or "\ufe00" <= char < "\ufe0e" or char >= "\U000e0000"


def visible(text: str) -> str:
    """The text as one line, without what no reader sees."""
    kept = "".join(c for c in text if not unseen(c))
    return " ".join("".join(c if c.isprintable() else " " for c in kept).split())


def unfit(text: str) -> str:
    """Why a text cannot stand in a brief as a sentence, or nothing: it holds markup, a link or what nobody sees."""
    if any(unseen(c) or (c < " " and c not in "\t\n\r") or c == "\x7f" for c in text):
        return "it holds characters that nobody sees"
    plain = clean(text)
    if _LINK.search(plain):
        return "it holds a link"
    if _MARKUP.search(plain):
        return "it holds markup or code"
    if any(len(word) > MOST_LETTERS for word in plain.split()):
        return "it holds a run of letters that is no word"
    return ""


def order(text: str) -> str:
    """Why a sentence is an order to its reader and no statement, or nothing."""
    plain = clean(text)
    if plain.rstrip("\"') ”").endswith("?"):
        return "it asks"
    readings = {plain, _MIXED.sub(lambda m: m[0].translate(_LEET), plain)}
    for one in readings:
        for pattern in (_ORDER_AT, _CONDITION, _SPOKEN_TO, _OF_RESEARCH, _OF_MACHINES):
            if found := pattern.search(one):
                return f"it tells its reader what to do ({found[0].strip()[:40]!r})"
    return ""


def states(text: str) -> bool:
    """Whether a sentence may be evidence: neither unfit nor an order."""
    return not unfit(text) and not order(text)
