"""Where documents come from: one file per source, found by folder."""
