"""Does this quote support this sentence? Pure: text in, checks out; no clock, no files, no network.

    checks = check_claim("Acme rose to 400 staff.", [Quoted("e1", quote, document_text, start)], ["Acme"])
    if supported(checks): ...

Each check names what it looked at and, when it failed, what disagrees:

| check | asks |
|---|---|
| `quote` | does the quote stand, character for character, in the stored text? |
| `numbers` | is every figure in the quote, of the same thing, period, sign and unit? |
| `dates` | is every date in the quote, or implied by the day its document came out? |
| `entity` | is it the subject, and no namesake or other actor, of whom the quote says it? |
| `recall` | are the words the quote's words, with the same roles, directions and qualifiers? |
| `polarity` | is it as firm as the quote: no `not`, `plans to`, `former` lost or added? |
| `contradiction` | does no other evidence say otherwise? (`find_contradictions`, over pairs of evidence) |

Every check errs towards refusing: what cannot be matched is not said. The one exception is a sentence that repeats
its quote word for word: it stands, provided its document speaks of the subject and the cut did not leave a `not`
behind.

What is no statement at all (orders to the reader, markup, links, hidden characters) is kept out before any check: see
`orders`.

The walk: both texts are cleaned (`cleaning`) and roles are written one way (`chief executive officer` -> `CEO`), then
read once into tokens, quantities and dates (`reading`), and the checks compare readings. Only what this file names is
for use outside.
"""

from agent.claims.checks import check_claim, supported
from agent.claims.contradictions import find_contradictions
from agent.claims.fit import fit
from agent.claims.orders import order, states, unfit, visible
from agent.claims.quoted import Quoted
from agent.claims.sentences import split_sentences

__all__ = [
    "Quoted",
    "check_claim",
    "find_contradictions",
    "fit",
    "order",
    "split_sentences",
    "states",
    "supported",
    "unfit",
    "visible",
]
