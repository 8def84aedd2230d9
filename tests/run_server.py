"""Serves from the environment as `dossier serve` does, on a port of its own choosing unless one is set.

python -m tests.run_server
"""

from __future__ import annotations

import sys

from agent.errors import DossierError
from agent.settings import load_settings
from server import serve


def main() -> int:
    """0 after a drain; 2 with the error's code and message when it cannot start."""
    try:
        serve(load_settings(), ready=lambda address: print(address, flush=True))
    except DossierError as exc:
        print(f"{exc.code}: {exc.message}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
