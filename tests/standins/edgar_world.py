"""What the SEC's services answer about Acme Corp., an invented filer whose fiscal year ends in January."""

from __future__ import annotations

from typing import Any

CIK = 1999999
PADDED = f"CIK{CIK:010d}"
TEN_K, TEN_Q = "0001999999-26-000012", "0001999999-26-000044"
EIGHT_KS = ("0001999999-26-000050", "0001999999-26-000047", "0001999999-26-000031", "0001999999-25-000090")
ARCHIVES = f"/Archives/edgar/data/{CIK}"

RISKS = (
    "Our growth depends on demand for anvils, and we may not keep pace with it.",
    "If we fail to integrate Roadrunner Logistics, our business could be harmed.",
    "We face intense competition and may lose market share.",
    "A breach of our security measures could harm our reputation and expose us to liability.",
)
EMPLOYEES = "As of January 31, 2026, we had approximately 7,834 full-time employees in 19 countries."


def path(accession: str, file: str) -> str:
    """Where a document of a filing lies on www.sec.gov."""
    return f"{ARCHIVES}/{accession.replace('-', '')}/{file}"


def submissions() -> dict[str, Any]:
    """The index: columns, the newest first, ownership forms among the rest."""
    rows = [
        # accession, filed, reported, form, items, main document
        ("0001888888-26-000777", "2026-11-12", "2026-11-10", "4", "", "xslF345X05/form4.xml"),
        (EIGHT_KS[0], "2026-11-05", "2026-11-03", "8-K", "2.02,9.01", "acme-20261103.htm"),
        (EIGHT_KS[1], "2026-10-02", "2026-09-30", "8-K", "5.02,9.01", "acme-20260930.htm"),
        (TEN_Q, "2026-09-04", "2026-07-31", "10-Q", "", "acme-20260731.htm"),
        (EIGHT_KS[2], "2026-06-15", "2026-06-12", "8-K", "2.01,8.01,9.01", "acme-20260612.htm"),
        ("0001999999-26-000020", "2026-04-02", "2026-01-31", "10-K/A", "", "acme-20260131x10ka.htm"),
        (TEN_K, "2026-03-20", "2026-01-31", "10-K", "", "acme-20260131.htm"),
        (EIGHT_KS[3], "2025-12-01", "2025-11-28", "8-K", "9.01", "acme-20251128.htm"),
    ]
    columns = ("accessionNumber", "filingDate", "reportDate", "form", "items", "primaryDocument")
    recent: dict[str, list[Any]] = {c: [row[i] for row in rows] for i, c in enumerate(columns)}
    recent["acceptanceDateTime"] = [f"{row[1]}T16:10:00.000Z" for row in rows]
    recent["isXBRL"] = [0] * len(rows)
    place = {
        "street1": "1 Canyon Road",
        "street2": None,
        "city": "FLAGSTAFF",
        "stateOrCountry": "AZ",
        "zipCode": "86001",
    }
    return {
        "cik": str(CIK),
        "entityType": "operating",
        "sic": "3460",
        "sicDescription": "Metal Forgings & Stampings",
        "name": "ACME CORP",
        "tickers": ["ACME"],
        "exchanges": ["NYSE"],
        "description": "",
        "website": "",
        "category": "Large accelerated filer",
        "fiscalYearEnd": "0131",
        "stateOfIncorporation": "DE",
        "stateOfIncorporationDescription": "DE",
        "addresses": {"mailing": place, "business": {**place, "stateOrCountryDescription": "AZ"}},
        "phone": "928-555-0100",
        "formerNames": [
            {"name": "ACME ANVIL WORKS INC", "from": "2009-01-05T00:00:00.000Z", "to": "2018-06-30T00:00:00.000Z"}
        ],
        "filings": {"recent": recent, "files": []},
    }


def fact(
    value: Any, start: str | None, end: str, filed: str, form: str, accession: str, fy: int = 2025, fp: str = "FY"
) -> dict[str, Any]:
    """One row of company facts."""
    row = {"end": end, "val": value, "accn": accession, "fy": fy, "fp": fp, "form": form, "filed": filed}
    return row if start is None else {"start": start, **row}


def company_facts() -> dict[str, Any]:
    """Revenue under an old concept and a new one, restated once; half-years and quarters side by side."""
    old, amended = "0001999999-25-000010", "0001999999-25-000015"
    revenue = [
        fact(2_600_000_000, "2024-02-01", "2025-01-31", "2025-03-21", "10-K", old, 2024),
        fact(2_806_489_000, "2024-02-01", "2025-01-31", "2025-05-02", "10-K/A", amended, 2024),
        fact(2_806_489_000, "2024-02-01", "2025-01-31", "2026-03-20", "10-K", TEN_K),
        fact(3_626_396_000, "2025-02-01", "2026-01-31", "2026-03-20", "10-K", TEN_K),
        fact(868_823_000, "2025-05-01", "2025-07-31", "2026-09-04", "10-Q", TEN_Q, 2026, "Q2"),
        fact(1_890_000_000, "2026-02-01", "2026-07-31", "2026-09-04", "10-Q", TEN_Q, 2026, "Q2"),
        fact(1_012_500_000, "2026-05-01", "2026-07-31", "2026-09-04", "10-Q", TEN_Q, 2026, "Q2"),
        # Twelve months in a quarterly report are no fiscal year.
        fact(3_900_000_000, "2025-08-01", "2026-07-31", "2026-09-04", "10-Q", TEN_Q, 2026, "Q2"),
    ]
    income = [
        fact(-1_456_010_000, "2025-02-01", "2026-01-31", "2026-03-20", "10-K", TEN_K),
        fact(-340_500_000, "2026-05-01", "2026-07-31", "2026-09-04", "10-Q", TEN_Q, 2026, "Q2"),
    ]
    cash = [
        fact(2_628_798_000, None, "2026-01-31", "2026-03-20", "10-K", TEN_K),
        fact(77_000_000, None, "2026-08-20", "2026-09-04", "10-Q", TEN_Q, 2026, "Q2"),
        fact(2_100_250_000, None, "2026-07-31", "2026-09-04", "10-Q", TEN_Q, 2026, "Q2"),
    ]
    stale = [fact(900_000_000, "2016-02-01", "2017-01-31", "2017-03-20", "10-K", "0001999999-17-000009", 2016)]

    def usd(rows: list[dict[str, Any]]) -> dict[str, Any]:
        return {"label": "…", "description": "…", "units": {"USD": rows}}

    us_gaap = {
        "SalesRevenueNet": usd(stale),
        "Revenues": usd(stale),
        "RevenueFromContractWithCustomerExcludingAssessedTax": usd(revenue),
        "OperatingIncomeLoss": usd(income),
        "CashAndCashEquivalentsAtCarryingValue": usd(cash),
        "EarningsPerShareBasic": {"label": "…", "units": {"USD/shares": []}},
    }
    return {"cik": CIK, "entityName": "ACME CORP", "facts": {"dei": {}, "us-gaap": us_gaap}}


def tickers() -> dict[str, Any]:
    """The list of tickers, two filers with names that are alike among them."""
    rows = [
        (CIK, "ACME", "ACME CORP"),
        (320193, "APEX", "Apex Industries, Inc."),
        (1888888, "DEL", "Delta Holdings Inc"),
    ]
    rows += [
        (1777777, "DELA", "DELTA TECHNOLOGIES CORP"),
        (CIK, "ACME-P", "ACME CORP"),
        (1666666, "ZEN", "Zénith Group S.A."),
    ]
    rows += [(1555555, "VTX", "VERTEX INC /DE/"), (1444444, "VTXL", "Vertex Ltd")]
    return {str(i): {"cik_str": cik, "ticker": t, "title": title} for i, (cik, t, title) in enumerate(rows)}


def search_hits() -> dict[str, Any]:
    """Two hits of the full-text search."""

    def hit(file: str, kind: str, described: str | None) -> dict[str, Any]:
        return {
            "_index": "edgar_file",
            "_id": f"{EIGHT_KS[2]}:{file}",
            "_score": 7.1,
            "_source": {
                "ciks": [f"{CIK:010d}"],
                "display_names": [f"ACME CORP  (ACME, ACME-P)  (CIK {CIK:010d})"],
                "root_forms": ["8-K"],
                "form": "8-K",
                "file_type": kind,
                "file_description": described,
                "file_date": "2026-06-15",
                "adsh": EIGHT_KS[2],
                "items": ["2.01", "8.01", "9.01"],
                "xsl": None,
                "sequence": 1,
            },
        }

    hits = [hit("acme-20260612.htm", "8-K", "8-K"), hit("a991release.htm", "EX-99.1", "PRESS RELEASE")]
    return {
        "took": 9,
        "timed_out": False,
        "hits": {"total": {"value": 2, "relation": "eq"}, "max_score": 7.1, "hits": hits},
    }


# --- documents --------------------------------------------------------------------------------------------------------


def head(name: str) -> str:
    """The top of an inline XBRL document: namespaces, and a header that no reader sees."""
    contexts = "".join(
        f'<xbrli:context id="c-{i}"><xbrli:entity><xbrli:identifier scheme="http://www.sec.gov/CIK">{CIK:010d}'
        f"</xbrli:identifier></xbrli:entity><xbrli:period><xbrli:instant>2026-01-31</xbrli:instant></xbrli:period>"
        f"</xbrli:context>"
        for i in range(60)
    )
    return (
        "<?xml version='1.0' encoding='ASCII'?>\n"
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:ix="http://www.xbrl.org/2013/inlineXBRL">'
        f"<head><title>{name}</title></head><body>"
        '<div style="display: none"><ix:header><ix:hidden><ix:nonNumeric name="dei:AmendmentFlag" contextRef="c-1">HIDDENVALUE'
        f"</ix:nonNumeric></ix:hidden><ix:resources>{contexts}</ix:resources></ix:header></div>"
    )


def heading(text: str, size: str = "10pt", more: str = "") -> str:
    """A heading as report writers make it: a bold span."""
    return f'<div style="margin-top:9pt"><span style="font-size:{size};font-weight:700;{more}">{text}</span></div>'


def para(*texts: str) -> str:
    """Plain paragraphs."""
    return "".join(
        f'<div><span style="font-size:10pt;font-weight:400;line-height:120%">{t}</span></div>' for t in texts
    )


def turn(page: int) -> str:
    """The foot of a page and the head of the next."""
    return (
        f'<div style="text-align:center"><span>{page}</span></div><hr style="page-break-after:always"/>'
        '<div><a href="#toc"><span style="text-decoration:underline">Table of Contents</span></a></div>'
    )


_FILLER = para(
    *(
        f"Paragraph {n} of this report describes how forged&#160;goods of grade {n} are made, stored and shipped to distributors "
        "across the regions in which the company operates, and what is done to keep their quality even."
        for n in range(1, 21)
    )
)


def ten_k() -> str:
    """An annual report: contents, four items, nested tables, pages that cut sentences."""
    items = [
        ("Item 1.", "Business"),
        ("Item 1A.", "Risk Factors"),
        ("Item 2.", "Properties"),
        ("Item 7.", "Management’s Discussion"),
    ]
    contents = "".join(
        f'<tr><td><a href="#i{i}">{a}</a></td><td><a href="#i{i}">{b}</a></td><td>{i * 9 + 3}</td></tr>'
        for i, (a, b) in enumerate(items)
    )
    risks = "".join(
        f'<div><span style="font-weight:700;font-style:italic">{risk} </span></div>'
        + para("We explain this risk at length here. " * 6)
        if n % 2
        else f'<div><span style="font-weight:700;font-style:italic">{risk} </span><span>We explain it in the same paragraph. '
        + "It could hurt us. " * 12
        + "</span></div>"
        for n, risk in enumerate(RISKS)
    )
    officers = "".join(
        f"<tr><td>{name}</td><td>&#160;</td><td>{age}</td><td>&#160;</td><td>{role}</td></tr>"
        for name, age, role in (
            ("Jane A. Doe", 52, "Chief Executive Officer and Chairman"),
            ("Wei Chen, Ph.D.", 47, "Chief Technology Officer (1)"),
            ("Sam O’Neill", 58, "Executive Vice President, Sales;<br/>President, Europe"),
        )
    )
    return (
        head("acme-20260131")
        + heading("ACME CORP.", "24pt")
        + para("Annual report on Form 10-K, for investors: ir@acme.example, 928-555-0100.")
        + heading("TABLE OF CONTENTS")
        + f"<table>{contents}</table>"
        + para("Some statements are forward-looking; see Item 1A. Risk Factors.")
        + turn(2)
        + heading("Item 1. Business", "12pt")
        + heading("Overview", "11pt")
        + '<div style="DISPLAY: none"><span>HIDDENVALUE</span></div><ix:header><ix:hidden>HIDDENVALUE</ix:hidden></ix:header>'
        + para(
            "Acme makes anvils and sells AnvilCloud to <ix:nonNumeric name='x' contextRef='c-2'>12,621</ix:nonNumeric> customers."
        )
        + _FILLER
        + heading("Our Growth Strategy", "11pt")
        + para(
            "We intend to expand AnvilCloud into new regions and to deepen our partnerships with the largest foundries."
            * 3
        )
        + heading("Customers", "11pt")
        + para(
            "Our customers include foundries, railways and film studios; no customer was more than 10% of revenue." * 3
        )
        + heading("Competition", "11pt")
        + para("Our principal competitors are Hammer Industries, Forge GmbH and the internal teams of our")
        + turn(7)
        + para("largest customers, some of which have greater resources than we do.")
        + heading("Cloud competitors", "10pt", "font-style:italic")
        + para(
            "In software we compete with Ironware Ltd. and with open-source tools that are free of charge to their users. "
            * 2
        )
        + heading("Human Capital", "11pt")
        + para(f"{EMPLOYEES} None of them is represented by a union.")
        + heading("Information about our Executive Officers", "11pt")
        + f"<table><tr><td><b>Name</b></td><td></td><td><b>Age</b></td><td></td><td><b>Position</b></td></tr>{officers}</table>"
        + para("Jane A. Doe has served as our Chief Executive Officer since 2021 and came from Hammer Industries. " * 5)
        + turn(9)
        + heading("Item 1A. Risk Factors", "12pt")
        + heading("Risks Related to Our Business", "11pt")
        + risks
        + _FILLER
        + heading("Item 2. Properties", "12pt")
        + para("We lease our headquarters in Flagstaff. " * 15)
        + "<table><tr><td><table><tr><td>"
        + heading(
            "Item 7. Management’s Discussion and Analysis of Financial Condition and Results of Operations", "12pt"
        )
        + heading("Overview", "11pt")
        + para("Revenue grew by 29% as more foundries moved their planning to AnvilCloud in the fiscal year. " * 6)
        + "</td></tr></table></td></tr></table>"
        + "<table><tr><td>Revenue</td><td>$</td><td>3,626,396</td><td>$</td><td>2,806,489</td></tr></table>"
        + heading("Results of Operations", "11pt")
        + _FILLER
        + heading("Item 9B. Other Information", "12pt")
        + para("None.")
        + "</body></html>"
    )


def ten_q() -> str:
    """A quarterly report; its items are numbered otherwise."""
    return (
        head("acme-20260731")
        + heading("Item 1. Financial Statements")
        + para("The condensed statements follow. " * 20)
        + heading("Item 2. Management’s Discussion and Analysis of Financial Condition and Results of Operations")
        + para("Revenue of the quarter rose because AnvilCloud was adopted by railways in three more countries. " * 6)
        + heading("Item 1A. Risk Factors")
        + para("There is no material change to the risk factors of our annual report.")
        + "</body></html>"
    )


def eight_k(item: str, title: str, text: str) -> str:
    """A current report with one item, an exhibit list and a signature."""
    return (
        head("acme-8k")
        + heading("FORM 8-K", "18pt")
        + para("(928) 555-0100")
        + f"<table><tr><td><b>Item {item}</b></td><td><b>{title}</b></td></tr></table>"
        + para(text)
        + heading("Item 9.01 Financial Statements and Exhibits.")
        + para("99.1 Press release")
        + heading("SIGNATURE")
        + para("Pursuant to the requirements of the Act, the registrant has signed this report by Jane A. Doe.")
        + "</body></html>"
    )


def release() -> str:
    """Exhibit 99.1: a press release with contacts and legal notices at its end."""
    return (
        "<html><body>"
        + para("Exhibit 99.1")
        + heading("Acme Reports Third Quarter Results")
        + para("FLAGSTAFF, November 3, 2026. Acme Corp. today announced results for its third quarter. " * 2)
        + para("Remaining performance obligations rose to $5.1 billion, and Acme opened a foundry in Ohio. " * 2)
        + para("Media contact: Pat Roe, pat.roe@acme.example, 928-555-0199")
        + heading("Forward-Looking Statements")
        + para("This release holds forward-looking statements.")
        + "</body></html>"
    )


BLOCKED = (
    "<html><head><title>SEC.gov | Your Request Originates from an Undeclared Automated Tool</title></head><body><p>Please declare "
    "your traffic by updating your user agent.</p><p>Once the rate of requests has dropped below the threshold for 10 minutes, "
    "access resumes.</p></body></html>"
)
TOO_FAST = (
    "<html><head><title>SEC.gov | Request Rate Threshold Exceeded</title></head><body><p>Access to SEC.gov will be limited for "
    "10 minutes.</p></body></html>"
)
