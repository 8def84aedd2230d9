"""Benchmarks: `make bench` prints ratios and counts measured in one run. Nothing here is asserted in the tests."""
