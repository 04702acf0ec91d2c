"""Parity: every feature of the engine against an oracle that reckons it anew from the raw log.

The oracle is written from the registry (`schemas.features`) and the bounds that `stream.features.profile` states, in
polars, over whole histories at once; it shares no code with `stream.features`, and keeps no state that could go wrong.
"""
