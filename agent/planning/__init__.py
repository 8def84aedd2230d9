"""The planner, pure: candidate calls x requirements x budget -> CollectionPlan.

It takes prices, priors and requirements as data and does no I/O, so that it can be tested against the exact optimum.
How it chooses, and why so: docs/decisions/planner.md.
"""

from __future__ import annotations

from agent.planning.candidates import MAX_CALLS, MIN_GAIN, Candidate, Limits, Priced, still_answers
from agent.planning.plans import plan, worth_another_round

__all__ = ["MAX_CALLS", "MIN_GAIN", "Candidate", "Limits", "Priced", "plan", "still_answers", "worth_another_round"]
