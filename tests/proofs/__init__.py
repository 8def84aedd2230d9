"""Proofs that take longer than a test: `make prove` runs them all and prints what it measured."""
