"""`python -m cli` is `dossier`."""

from cli import main

main()
