"""What the front door says and hears: views of the house for callers, and errors as problem documents."""
