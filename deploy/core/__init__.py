"""The core compiled: what decodes an event and applies it, built with mypyc."""
