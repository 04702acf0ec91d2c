"""Learners of one target each: `predict`, `learn`, `dump`, `load`; state in plain numbers, memory bounded."""
