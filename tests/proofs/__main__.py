"""Run the proofs: all of them, or those named.

python -m tests.proofs [addresses] [ledger] [kill] [citations] [injection] [secrets]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from tests.proofs import addresses, citations, injection, kill, ledger, secrets

PROOFS: dict[str, Callable[[], int]] = {
    "addresses": addresses.main,
    "ledger": ledger.main,
    "citations": citations.main,
    "injection": injection.main,
    "secrets": secrets.main,
    "kill": kill.main,
}


def main(names: list[str]) -> int:
    """0 when every proof held; the figures are printed as they come."""
    failed = []
    for name in names or list(PROOFS):
        began = time.monotonic()
        if PROOFS[name]():
            failed.append(name)
        print(f"--- {name}: {'FAILED' if name in failed else 'held'} ({time.monotonic() - began:.0f} s)", flush=True)
    print("PROVED" if not failed else f"NOT PROVED: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
