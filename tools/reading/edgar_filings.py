"""What the SEC's index of a filer says (`submissions`): who it is, and what it filed when."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from tools.base import FailureKind, FieldQuote, SourceDocument, SourceError
from tools.reading.dates import parse_date
from tools.reading.urls import host_of, normalise_url

ORIGIN = "sec.gov"
LICENCE = "Filings are public; the SEC's own data is in the public domain. Its fair-access rules bind whoever fetches."
ARCHIVES = "https://www.sec.gov/Archives/edgar/data"
MOST_EVENTS = 15
ANNUAL, QUARTERLY = ("10-K", "20-F", "40-F", "10-KT"), ("10-Q", "10-QT")

FORMS: Mapping[str, str] = {
    "10-K": "its annual report",
    "10-KT": "its transition report",
    "10-Q": "its quarterly report",
    "20-F": "its annual report as a foreign issuer",
    "40-F": "its annual report as a Canadian issuer",
    "6-K": "a report of a foreign issuer",
    "8-K": "a current report",
    "S-1": "a registration statement for new securities",
    "S-4": "a registration statement for a merger or an exchange of securities",
    "15-12G": "a notice that ends the registration of its securities",
    "25": "a notice that delists its securities",
}
"""Forms that are events, in words."""

ITEMS: Mapping[str, str] = {
    "1.01": "entry into a material agreement",
    "1.02": "end of a material agreement",
    "1.03": "bankruptcy or receivership",
    "1.04": "mine safety matters",
    "1.05": "a material cybersecurity incident",
    "2.01": "completion of an acquisition or a disposal of assets",
    "2.02": "results of operations and financial condition",
    "2.03": "a new financial obligation",
    "2.04": "an event that accelerates a financial obligation",
    "2.05": "costs of leaving or disposing of activities",
    "2.06": "material impairments",
    "3.01": "notice of delisting or a change of listing",
    "3.02": "unregistered sales of equity",
    "3.03": "changed rights of security holders",
    "4.01": "change of the certifying accountant",
    "4.02": "earlier financial statements no longer to be relied on",
    "5.01": "change of control",
    "5.02": "departure, election or pay of directors or officers",
    "5.03": "change of articles, bylaws or fiscal year",
    "5.04": "suspended trading under employee benefit plans",
    "5.05": "change of the code of ethics",
    "5.06": "change of shell company status",
    "5.07": "votes of security holders",
    "5.08": "nominations of directors by shareholders",
    "7.01": "disclosure under Regulation FD",
    "8.01": "other events",
}
"""Items of form 8-K in words; 9.01 (exhibits) is no event."""

_LEGAL = frozenset(
    "inc incorporated corp corporation co company companies ltd limited plc llc lp llp sa sas ag nv bv se ab asa as spa "
    "gmbh oyj kk".split()
)
_DESCRIPTORS = frozenset("holdings holding group technologies technology platforms software communications".split())
_STATE_MARK = re.compile(r"\s*/\s*[A-Z]{2,4}\s*/?\s*$")
_STATES = dict(
    part.split("=")
    for part in (
        "AL=Alabama|AK=Alaska|AZ=Arizona|AR=Arkansas|CA=California|CO=Colorado|CT=Connecticut|DE=Delaware|FL=Florida|GA=Georgia"
        "|HI=Hawaii|ID=Idaho|IL=Illinois|IN=Indiana|IA=Iowa|KS=Kansas|KY=Kentucky|LA=Louisiana|ME=Maine|MD=Maryland"
        "|MA=Massachusetts|MI=Michigan|MN=Minnesota|MS=Mississippi|MO=Missouri|MT=Montana|NE=Nebraska|NV=Nevada"
        "|NH=New Hampshire|NJ=New Jersey|NM=New Mexico|NY=New York|NC=North Carolina|ND=North Dakota|OH=Ohio|OK=Oklahoma"
        "|OR=Oregon|PA=Pennsylvania|RI=Rhode Island|SC=South Carolina|SD=South Dakota|TN=Tennessee|TX=Texas|UT=Utah|VT=Vermont"
        "|VA=Virginia|WA=Washington|WV=West Virginia|WI=Wisconsin|WY=Wyoming|DC=the District of Columbia"
    ).split("|")
)


@dataclass(frozen=True)
class Filing:
    """One line of the index."""

    cik: int
    accession: str
    form: str
    filed: datetime | None
    report_date: datetime | None
    items: tuple[str, ...]
    primary: str

    @property
    def kind(self) -> str:
        """The form without the mark of an amendment."""
        return self.form.removesuffix("/A")

    @property
    def folder(self) -> str:
        """Where its documents lie."""
        return f"{ARCHIVES}/{self.cik}/{self.accession.replace('-', '')}"

    @property
    def index_url(self) -> str:
        """The page that lists its documents."""
        return f"{self.folder}/{self.accession}-index.htm"

    @property
    def url(self) -> str:
        """Its main document, or the page that lists them."""
        return normalise_url(f"{self.folder}/{self.primary}") if self.primary else self.index_url


@dataclass(frozen=True)
class Filer:
    """A company and what it filed, the newest first."""

    cik: int
    name: str
    """As it is shown: the name that was asked for where that is the same one."""
    record: Mapping[str, JsonValue]
    filings: tuple[Filing, ...]

    def latest(self, kinds: Sequence[str]) -> Filing | None:
        """The newest filing of one of these forms that has a main document; an amendment is often a part only."""
        return next((f for f in self.filings if f.form in kinds and f.primary), None)


def text(value: JsonValue) -> str:
    """A string on one line, and nothing for anything else. The SEC writes a missing value as "None" here and there."""
    if not isinstance(value, str):
        return ""
    clean = " ".join(value.encode("utf-8", "replace").decode("utf-8").split())
    return "" if clean in ("None", "null") else clean


def day(when: datetime | None) -> str:
    """A date in words."""
    return f"{when:%B} {when.day}, {when.year}" if when is not None else ""


def key(name: str) -> str:
    """What makes a name, for comparing: no accents, punctuation, state marks or legal suffixes."""
    bare = unicodedata.normalize("NFKD", _STATE_MARK.sub("", name)).casefold()
    joined = "".join(c for c in bare if not unicodedata.combining(c))
    words = re.sub(r"[\W_]+", " ", re.sub(r"(?<=\w)['’.](?=\w)", "", joined)).split()
    words = words[1:] if len(words) > 1 and words[0] == "the" else words
    return " ".join(_cut(words, _LEGAL))


def short_key(name: str) -> str:
    """`key` without the words that people leave out: `uber technologies` gives `uber`."""
    return " ".join(_cut(key(name).split(), _DESCRIPTORS | _LEGAL))


def _cut(words: list[str], tail: frozenset[str]) -> list[str]:
    while len(words) > 1 and words[-1] in tail:
        words = words[:-1]
    return words


def shown_name(official: str, asked: str) -> str:
    """The name to use in sentences: the one asked for when it differs in spelling only, else the SEC's."""
    asked = text(asked)
    if asked and key(asked) and key(asked) == key(official):
        return asked
    return _STATE_MARK.sub("", official) or official


def read_filer(found: Mapping[str, JsonValue], asked: str) -> Filer:
    """The reply of `submissions`. Raises SourceError (malformed)."""
    filings = found.get("filings")
    recent = filings.get("recent") if isinstance(filings, dict) else None
    official = text(found.get("name"))
    number = str(found.get("cik") or "").lstrip("0")
    if (
        not isinstance(recent, dict)
        or not official
        or not (number.isascii() and number.isdigit() and len(number) <= 10)
    ):
        raise SourceError(FailureKind.MALFORMED, "The SEC's list of submissions has not the expected shape.")
    listed = recent.get("accessionNumber", [])
    if not isinstance(listed, list):
        raise SourceError(FailureKind.MALFORMED, "The SEC's list of submissions names no accession numbers.")
    rows = list(_rows(recent, len(listed), int(number)))
    if listed and not rows:
        raise SourceError(FailureKind.MALFORMED, "None of the SEC's submissions has the expected shape.")
    rows.sort(key=lambda f: f.filed.timestamp() if f.filed else 0.0, reverse=True)
    return Filer(int(number), shown_name(official, asked), found, tuple(rows))


def _rows(recent: Mapping[str, JsonValue], count: int, cik: int) -> Iterator[Filing]:
    def cell(column: str, at: int) -> str:
        values = recent.get(column)
        return text(values[at]) if isinstance(values, list) and at < len(values) else ""

    for at in range(count):
        accession, form = cell("accessionNumber", at), cell("form", at)
        if not re.fullmatch(r"\d{10}-\d{2}-\d{6}", accession) or not form:
            continue
        items = tuple(i for part in cell("items", at).split(",") if (i := part.strip()))
        primary = cell("primaryDocument", at)
        yield Filing(
            cik,
            accession,
            form,
            parse_date(cell("filingDate", at)),
            parse_date(cell("reportDate", at)),
            items,
            primary if re.fullmatch(r"[\w][\w./ +-]*", primary) and ".." not in primary else "",
        )


def filings_documents(filer: Filer) -> list[SourceDocument]:
    """The filer's profile, and its recent events as one document each."""
    events = [f for f in filer.filings if f.kind in FORMS][:MOST_EVENTS]
    return [profile(filer), *(event(filer, f) for f in events)]


def profile(filer: Filer) -> SourceDocument:
    """Who the filer is, as the SEC has it on record."""
    record, name = filer.record, filer.name
    said: list[tuple[str, str, str]] = []
    official = text(record.get("name"))
    said.append(("legal_name", f"{name} files with the SEC under the name {_stop(official)}", official))
    if industry := text(record.get("sicDescription")):
        code = text(record.get("sic"))
        number = f" (SIC code {code})" if code else ""
        said.append(("industry", f"The SEC lists {name} in the industry {industry}{number}.", industry))
    if place := _place(record):
        said.append(("hq", f"{name} has its business address in {_stop(place)}", place))
    if state := _state(record):
        said.append(("", f"{name} is incorporated in {_stop(state)}", ""))
    if site := normalise_url(text(record.get("website"))):
        said.append(("domain", f"{name} names {site} as its website.", host_of(site)))
    if listed := _listed(record):
        said.append(("", f"{name} is listed as {listed}.", ""))
    for former, until in _former(record):
        said.append(("", f"{name} was called {former} until {until}.", ""))
    lines = [sentence for _, sentence, _ in said] + [f"The SEC knows {name} by the CIK {filer.cik:010d}."]
    reports = [f.filed for f in filer.filings if f.kind in FORMS and f.filed]
    return SourceDocument(
        url=f"https://www.sec.gov/edgar/browse/?CIK={filer.cik}",
        title=f"{name}: SEC filer profile",
        text="\n".join(lines),
        # The record goes out with every report, and is good as of the last one.
        published_at=reports[0] if reports else None,
        origin=ORIGIN,
        licence=LICENCE,
        about=name,
        fields=tuple(
            FieldQuote(dataset="profile", field=field, quote=sentence, value=value)
            for field, sentence, value in said
            if field
        ),
    )


def event(filer: Filer, filing: Filing) -> SourceDocument:
    """A filing as a dated event."""
    name, what = filer.name, FORMS[filing.kind]
    amended = "an amendment to " if filing.form.endswith("/A") else ""
    named = [(f"{ITEMS[i]} (item {i})") for i in filing.items if i in ITEMS]
    sentence = f"{name} filed {amended}{what} ({filing.form})"
    if filing.kind in ("10-K", "10-Q", "20-F", "40-F", "10-KT") and filing.report_date:
        sentence += f" for the period ended {day(filing.report_date)}"
    if filing.filed:
        sentence += f" on {day(filing.filed)}"
    if named:
        sentence += f": {'; '.join(named)}"
    lines = [f"{sentence}."]
    if filing.kind == "8-K" and filing.report_date:
        lines.append(f"The earliest event that it reports is of {day(filing.report_date)}.")
    told = "; ".join(ITEMS[i] for i in filing.items if i in ITEMS) or re.sub(r"^(?:its|a) ", "", what)
    headline = f"{name}: {told} ({filing.form})"
    value: dict[str, JsonValue] = {
        "type": filing.form,
        "headline": f"{headline}, {day(filing.filed)}",
        "url": filing.url,
    }
    if filing.filed:
        value["date"] = filing.filed.date().isoformat()
    return SourceDocument(
        url=filing.url,
        title=headline,
        text="\n".join(lines),
        published_at=filing.filed,
        origin=ORIGIN,
        licence=LICENCE,
        about=name,
        fields=(FieldQuote(dataset="news", field="events", quote=lines[0], value=value),),
    )


def _stop(words: str) -> str:
    """Words as the end of a sentence: one full stop."""
    return words if words.endswith(".") else f"{words}."


def _place(record: Mapping[str, JsonValue]) -> str:
    addresses = record.get("addresses")
    business = addresses.get("business") if isinstance(addresses, dict) else None
    if not isinstance(business, dict):
        return ""
    city, code = text(business.get("city")), text(business.get("stateOrCountry"))
    where = code if code in _STATES else text(business.get("stateOrCountryDescription"))
    city = city.title() if city.isupper() else city
    return ", ".join(part for part in (city, where) if part) if city else ""


def _state(record: Mapping[str, JsonValue]) -> str:
    code, said = text(record.get("stateOfIncorporation")), text(record.get("stateOfIncorporationDescription"))
    return _STATES.get(code) or (said if len(said) > 2 else "")


def _listed(record: Mapping[str, JsonValue]) -> str:
    tickers, exchanges = record.get("tickers"), record.get("exchanges")
    if not isinstance(tickers, list):
        return ""
    places = [text(e) for e in exchanges] if isinstance(exchanges, list) else []
    shown = [
        f"{t} on {places[i]}" if i < len(places) and places[i] else t
        for i, v in enumerate(tickers[:6])
        if (t := text(v))
    ]
    return ", ".join(shown)


def _former(record: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    names = record.get("formerNames")
    for one in names[:6] if isinstance(names, list) else []:
        if isinstance(one, dict) and (name := text(one.get("name"))) and (until := parse_date(one.get("to"))):
            yield name, day(until)
