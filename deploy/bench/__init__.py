"""Benchmarks: how fast, how soon, how small, and against whom. They start what they need and disturb nothing."""
