"""What outlives a process: ledger, documents, runs and their events. SQLite first; the contract tests would take another."""
