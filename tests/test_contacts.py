"""E-mail addresses and telephone numbers are left out; figures, dates and prices are not."""

from __future__ import annotations

import pytest

from tools.reading.contacts import has_contacts, without_contacts

CONTACTS = [
    "jane.doe@acme.example",
    "jane [at] acme.example",
    "jane(at)acme[dot]example",
    "press+eu@news.acme.co.uk",
    "+1 (555) 010-9999",
    "+44 20 7946 0958",
    "(928) 555-0100",
    "555-010-9999",
    "1-800-555-0199",
    "555.010.9999",
    "415 555 0134",
]
FIGURES = [
    "Revenue was $3,626,396,000.",
    "Pay is $120,000-150,000.",
    "It opened on 2026-11-22 at 09:00.",
    "7,834 employees in 19 countries",
    "accession 0001999999-26-000012",
    "up 28.75% to 1 012 500",
    "version 3.11.7 of 2023",
    "@acme on GitHub",
    "see https://acme.example/a-b?c=1",
]


@pytest.mark.parametrize("contact", CONTACTS)
def test_a_contact_is_found_and_left_out_wherever_it_stands(contact: str) -> None:
    said = f"Ask us ({contact}), or write."
    assert has_contacts(said)
    assert "left out]" in without_contacts(said)
    left = without_contacts(said, noted=False)
    assert "9999" not in left
    assert "acme" not in left
    assert not has_contacts(left)


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_is_no_contact(figure: str) -> None:
    assert not has_contacts(figure)
    assert without_contacts(figure) == figure
