"""Build `agent/catalogue/starter/companies.csv` from openly licensed lists of companies.

    python -m scripts.build_companies FOLDER

FOLDER holds `sp500_constituents.csv`, `nasdaq_listed.csv`, `nyse_listed.csv` and `sec_company_tickers.json`; where each
comes from is written in `agent/catalogue/starter/README.md`. Further names, domains and private companies come from
`additions.csv` beside the output, each with the page it was read on.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agent.companies import COLUMNS, LEGAL, STARTER, normalise, short_key, words

NOT_A_COMPANY = re.compile(
    r"\b(?:etfs?|etns?|funds?|trust (?:units|[ivx]+)|warrants?|rights?|units?|notes?|debentures?|preferred|preference|"
    r"subordinated|bonds?|acquisition|spac|blank check|municipal|(?:income|dividend|equity|enhanced) trust|enhanced"
    r"|\d+x|shares? trust|commodity index|"
    r"trust preferred|trups|bull|bear|depositary shares?,? each|closed.end|muni|munivest|muniyield|portfolios?|"
    r"grayscale|proshares|currencyshares|graniteshares|strats|corts|certificates|certs|adjustable|floating"
    r"|structured products|"
    r"invesco trust|platinum trust|gold trust|exchangeable|ishares|spdr|invesco qqq|term trust|opportunities trust"
    r"|strategic trust|quality trust)\b|\d%",
    re.IGNORECASE,
)
"""Securities and shells that nobody researches as a prospect."""

SECURITY = re.compile(
    r"[\s,-]*\b(?:(?:american|sponsou?red|sponosred|new|global|common|ordinary|voting|non-?voting|subordinated?"
    r"|limited|"
    r"series [a-c]|class [a-z]|depositary|depository|capital|registered|new york registry|variable|multiple"
    r"|partner)[\s,]*)+"
    r"(?:stock|shares?|units?|receipts?|interests?)\b.*$|[\s,-]*\b(?:sponsored|sponosred|american)?\s*(?:ads|adss"
    r"|adrs?)\b.*$|"
    r"\s+shares?(?: of beneficial interest)?$|\s+common$|\s+class [a-c]\b.*$",
    re.IGNORECASE,
)
CORPORATE = re.compile(
    r",?\s+(?:Inc\.?|Incorporated|Corp\.?|Corporation|Company|Co\.?|Ltd\.?|Limited|PLC|plc|LLC|L\.?P\.?|N\.?V\.?|AG"
    r"|S\.?A\.?|SE)$"
)
"""What a usual name leaves out and a legal name keeps."""
PLACE = re.compile(r"\s*[/\\]\s*(?:[A-Za-z.& ]{1,17})\s*[/\\]?\s*$|\s*[/\\]\s*$")
SMALL = frozenset("of and the for de du la le in on at by y van von der den und et".split())
KEEP_UPPER = frozenset(
    "ii iii iv vi vii usa us uk nv sa ag se plc llc lp ab ibm adt aes afl aig amd bae bhp bmw bnp bok cbiz cbre ccc "
    "cdw cf cgi "
    "chs cme cna cnx csx cvs cvb dht dte dxc ebay ebs eog eqt fmc fnb fti gatx gsk hca hni hp hsbc ing itt jbg kb "
    "kbr kkr kla "
    "lci lgi lkq lpl lsb mdu mgm mks mrc msc msci mvb ncr nec nio nmi nov nrg ntt nvr oge pbf pdf pg pge pjt pldt "
    "pnc ppg ppl "
    "psb ptc pvh qcr rbc rci rh rpc rpm rxo sap sba sei sjw sk skf slm slr sm spx ssr ssga td tdk tfi tfs tjx tpg "
    "ttm ubs ufp "
    "ugi umb umh ups usana usg vf wd wec wk wpp wsfs xpo xp ypf zto abb arm asml asx axa csl dbs dsm eni esco hdfc "
    "icici kddi "
    "lg lvmh msa oci omv rwe sgs smc stmicro teco vtb reit ai nnn".split()
)


@dataclass
class Entry:
    """A company while it is put together from several lists."""

    name: str
    legal_name: str = ""
    tickers: list[str] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)
    exchange: str = ""
    cik: str = ""
    domain: str = ""
    industry: str = ""
    hq: str = ""
    founded: str = ""
    origin: list[str] = field(default_factory=list)
    id: str = ""

    def row(self) -> tuple[str, ...]:
        """As the file has it."""
        key = normalise(self.name)
        extra = [a for a in self.aliases if normalise(a) not in ("", key, normalise(self.legal_name))]
        aliases = dict.fromkeys([*extra, *self.tickers[1:]])
        return (
            self.id, self.name, "" if self.legal_name == self.name else self.legal_name, "|".join(aliases),
            self.tickers[0] if self.tickers else "", self.exchange, self.cik, self.domain, self.industry, self.hq,
            self.founded, "+".join(dict.fromkeys(self.origin)),
        )  # fmt: skip


def clean_listed(name: str) -> str:
    """The company in the name of a listed security."""
    text = re.sub(r"\s+", " ", name).strip()
    if " - " in text:
        text = text.split(" - ", 1)[0]
    text = re.sub(r"\s*\([^)]*\)\s*", " ", text).strip()
    text = re.sub(r"^D/B/A ", "", text)
    cut = SECURITY.sub("", text).strip(" ,-") or text
    twice = re.match(r"(.+?\b(?:inc\.|corporation|c\.v\.))\s+(.+)$", cut, re.IGNORECASE)
    if twice and words(twice[1])[:2] == words(twice[2])[:2]:
        cut = twice[2]
    if usual(cut).isupper() and " " in usual(cut) and len(usual(cut)) > 9:
        cut = readable(cut)
    return re.sub(r"(?<=\w )(Of|And|The|For)(?= \w)", lambda m: m.group(0).lower(), cut)


def usual(name: str) -> str:
    """A name as people write it, without what it is incorporated as."""
    short = CORPORATE.sub("", name).strip(" ,")
    return name if not short or short.endswith("&") or short.lower().endswith(" and") else short


def clean_filer(title: str) -> str:
    """A filer's name: without the state it is told apart by, and in readable case."""
    text = title.strip()
    while PLACE.search(text):
        text = PLACE.sub("", text)
    text = re.sub(r"\s+", " ", text).strip(" ,")
    shouted = text.isupper() or (usual(text).isupper() and " " in usual(text) and len(usual(text)) > 9)
    return readable(text) if shouted else text


def readable(text: str) -> str:
    """ALL CAPS to title case, leaving acronyms alone."""
    return " ".join(_readable_word(word, first=i == 0) for i, word in enumerate(text.split(" ")))


def _readable_word(word: str, *, first: bool) -> str:
    bare = re.sub(r"[^A-Za-z]", "", word).lower()
    if bare in KEEP_UPPER or "&" in word or re.search(r"\d", word) or re.fullmatch(r"([A-Z]\.)+[A-Z]?,?", word):
        return word
    if bare in SMALL and not first:
        return word.lower()
    if bare in LEGAL and bare not in {"llp", "lllp"}:
        return word.capitalize()
    if len(bare) > 1 and not re.search(r"[aeiouy]", bare):
        return word
    return re.sub(r"[A-Za-z]+('[A-Za-z])?", lambda m: m.group(0).capitalize(), word)


def read_csv(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def from_sp500(path: Path) -> Iterator[Entry]:
    """The S&P 500: the best spelling, and the only list with industry, place and year."""
    for row in read_csv(path):
        name = re.sub(r"\s*\((?:Class [A-Z]|The)\)\s*$", "", row["Security"]).replace("–", "-").replace("’", "'")
        name = re.sub(r"^(.+) \(([A-Z][\w. ]+)\)$", r"\2 \1", name)  # Lilly (Eli)
        founded = re.match(r"\d{4}", row["Founded"])
        yield Entry(
            name=usual(name), legal_name=name if usual(name) != name else "",
            tickers=[row["Symbol"]], cik=row["CIK"].lstrip("0"), industry=row["GICS Sub-Industry"],
            hq="" if row["Headquarters Location"] == "none" else row["Headquarters Location"],
            founded=founded.group(0) if founded else "", origin=["sp5"],
        )  # fmt: skip


def from_listing(path: Path, symbol: str, title: str, exchange: str, origin: str) -> Iterator[Entry]:
    """An exchange's list of securities, companies only."""
    for row in read_csv(path):
        if NOT_A_COMPANY.search(row[title]) or not re.fullmatch(r"[A-Z]{1,5}(\.[A-Z])?", row[symbol]):
            continue
        if exchange == "NASDAQ" and " - " not in row[title]:
            continue
        name = clean_listed(row[title])
        yield Entry(name=usual(name), legal_name=name, tickers=[row[symbol]], exchange=exchange, origin=[origin])


def from_sec(path: Path) -> Iterator[Entry]:
    """The SEC's filers with a ticker, the largest first."""
    found: dict[str, Entry] = {}
    for row in json.loads(path.read_text(encoding="utf-8")).values():
        if NOT_A_COMPANY.search(row["title"]) or re.search(
            r"\b(?:trust|fund)\b.*\d|\betf\b", row["title"], re.IGNORECASE
        ):
            continue
        cik = str(row["cik_str"])
        name = clean_filer(row["title"])
        entry = found.setdefault(cik, Entry(name=usual(name), legal_name=name, cik=cik, origin=["sec"]))
        ticker = row["ticker"].replace("-", ".")
        plain = re.fullmatch(r"[A-Z]{1,5}(\.[A-Z])?", ticker) is not None
        if plain and (not entry.tickers or _share_class(ticker, entry, entry)):
            entry.tickers.append(ticker)
    yield from found.values()


class Merger:
    """Puts the entries of the lists together: one per company."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.by_cik: dict[str, Entry] = {}
        self.by_ticker: dict[str, Entry] = {}
        self.by_name: dict[str, Entry] = {}

    def add(self, new: Entry) -> None:
        """Merge `new` into the entry it belongs to, or keep it as a new one."""
        old = self._find(new)
        if old is None:
            self.entries.append(new)
            old = new
        else:
            _fill(old, new)
        if old.cik:
            self.by_cik.setdefault(old.cik, old)
        for ticker in old.tickers:
            self.by_ticker.setdefault(ticker, old)
        for name in (old.name, old.legal_name, new.name):
            self.by_name.setdefault(normalise(name), old)

    def _find(self, new: Entry) -> Entry | None:
        if new.cik and new.cik in self.by_cik:
            return self.by_cik[new.cik]
        # Two filers with different numbers are two companies, even when they share a name or a ticker that moved on.
        same_name = self.by_name.get(normalise(new.name))
        if same_name is not None and not (new.cik and same_name.cik):
            return same_name
        # A ticker alone proves nothing: the lists are of different years, and tickers are given to others.
        same_ticker = next((self.by_ticker[t] for t in new.tickers if t in self.by_ticker), None)
        if same_ticker is not None and not (new.cik and same_ticker.cik) and _akin(same_ticker.name, new.name):
            return same_ticker
        return None


def _akin(a: str, b: str) -> bool:
    left, right = words(short_key(normalise(a))), words(short_key(normalise(b)))
    if not left or not right:
        return False
    return (
        left[0] == right[0]
        or "".join(left)[:6] == "".join(right)[:6]
        or bool({w for w in left if len(w) > 4} & set(right))
    )


def _fill(old: Entry, new: Entry) -> None:
    old.tickers.extend(t for t in new.tickers if t not in old.tickers and _share_class(t, old, new))
    known, added = normalise(old.name), normalise(new.name)
    if added.startswith(f"{known} ") and old.origin == ["nys"]:
        # The NYSE list cuts names at a hyphen: "Hyster" is Hyster-Yale.
        old.name, old.legal_name = new.name, new.legal_name
    elif not known.startswith(added):
        old.aliases.append(new.name)
    if not old.legal_name and "".join(words(new.legal_name)).startswith("".join(words(known))):
        old.legal_name = new.legal_name
    for attribute in ("exchange", "cik", "domain", "industry", "hq", "founded"):
        if not getattr(old, attribute):
            setattr(old, attribute, getattr(new, attribute))
    old.origin.extend(new.origin)


def _share_class(ticker: str, old: Entry, new: Entry) -> bool:
    """Whether a further ticker is a class of the company's shares; the SEC's list has warrants and notes as well."""
    if new.origin != ["sec"] or not old.tickers:
        return True
    main = old.tickers[0]
    return (len(ticker) <= 4 and ticker[:3] == main[:3]) or bool(
        re.fullmatch(re.escape(main.split(".")[0]) + r"\.[A-C]", ticker)
    )


def with_ids(entries: Iterable[Entry], wanted: frozenset[str]) -> list[Entry]:
    """Give each entry an id made of its name. Ids named in the additions go to the best known company that fits."""
    taken: set[str] = set()
    for entry in entries:
        full = "-".join(words(normalise(entry.name)))
        short = "-".join(words(short_key(normalise(entry.name))))
        mark = (entry.tickers or [entry.cik])[0].lower()
        candidates = (short if short in wanted else full, full, f"{full}-{mark}", f"{full}-{entry.cik}")
        entry.id = next(i for i in candidates if i not in taken)
        taken.add(entry.id)
    return list(entries)


def apply_additions(entries: list[Entry], additions: list[dict[str, str]]) -> None:
    """Lay the hand-made lines over the table; lines with the same id add up."""
    by_id = {e.id: e for e in entries}
    by_name = {normalise(n): e for e in reversed(entries) for n in (e.name, e.legal_name)}
    for line in additions:
        entry = by_id.get(line["id"]) or by_name.get(normalise(line["legal_name"] or line["name"]) or "-")
        if entry is None:
            entry = Entry(name=line["name"], id=line["id"])
            entries.append(entry)
        if entry.id != line["id"]:
            entry.aliases.append(entry.name)
            entry.id, entry.name = line["id"], line["name"] or entry.name
        by_id[entry.id] = entry
        entry.aliases.extend(a for a in line["aliases"].split("|") if a)
        for attribute in ("legal_name", "domain", "industry", "hq", "founded"):
            if not getattr(entry, attribute):
                setattr(entry, attribute, line[attribute])
        entry.origin.append("add")


def build(folder: Path, additions: Path) -> list[tuple[str, ...]]:
    """The whole table: S&P 500 first, then by size as the SEC's list has it, then the rest."""
    merger = Merger()
    for source in (
        from_sp500(folder / "sp500_constituents.csv"),
        from_listing(folder / "nasdaq_listed.csv", "Symbol", "Security Name", "NASDAQ", "nas"),
        from_listing(folder / "nyse_listed.csv", "ACT Symbol", "Company Name", "NYSE", "nys"),
    ):
        for entry in source:
            merger.add(entry)
    size: dict[str, int] = {}
    for rank, entry in enumerate(from_sec(folder / "sec_company_tickers.json")):
        merger.add(entry)
        size[entry.cik] = rank
    _drop_stale_tickers(merger.entries)
    merger.entries = [e for e in merger.entries if e.tickers or e.cik]
    merger.entries.sort(key=lambda e: ("sp5" not in e.origin, size.get(e.cik, len(size)) if e.cik else len(size) // 3))
    lines = list(read_csv(additions))
    entries = with_ids(
        merger.entries, frozenset(line["id"] for line in lines) | {"airbnb", "netflix", "nike", "tesla", "nvidia"}
    )
    apply_additions(entries, lines)
    return [e.row() for e in entries]


def _drop_stale_tickers(entries: list[Entry]) -> None:
    """A ticker belongs to whom the newer lists give it; a filer that only the older list knows loses it."""
    owner: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda e: not set(e.origin) & {"sp5", "nas", "nys"}):
        for ticker in entry.tickers:
            owner.setdefault(ticker, entry)
    for entry in entries:
        entry.tickers = [t for t in entry.tickers if owner[t] is entry]


def main() -> None:
    """Read the folder given, write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of the openly licensed lists")
    parser.add_argument("--out", type=Path, default=STARTER / "companies.csv")
    args = parser.parse_args()
    rows = build(args.folder, STARTER / "additions.csv")
    with args.out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
