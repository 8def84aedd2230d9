"""The extractive engine's recommendations pass the house's own checks."""

from __future__ import annotations

import pytest

from agent.claims import Quoted, check_claim, supported
from agent.models.extractive import PLAY

FACT = "Brian Robins is the chief financial officer of Snowflake."
OFFER = "Monte Carlo: data observability"


@pytest.mark.parametrize("dataset", sorted(PLAY))
def test_a_recommendation_by_rule_names_nothing_that_its_quotes_do_not(dataset: str) -> None:
    text = f"{PLAY[dataset].format(offer='data observability', subject='Snowflake')}: {FACT}"
    fact = Quoted("e", FACT, FACT, 0, about="Snowflake Inc.")
    offer = Quoted("v", OFFER, OFFER, 0, about="Monte Carlo", dataset="vendor")
    checks = check_claim(text, [fact], ("Snowflake",), kind="inference", vendor=[offer], vendor_names=("Monte Carlo",))
    assert supported(checks), [c.detail for c in checks if not c.passed]
