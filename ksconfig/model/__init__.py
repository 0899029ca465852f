"""What KServe means by its config: pure functions and data, no I/O."""
