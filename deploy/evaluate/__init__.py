"""What `footfall evaluate` measures: one module a question."""
