"""Question sets, scorers and reports. Empty for now: offline eval runs are an issue of their own."""
