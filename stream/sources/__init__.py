"""Logs that can be replayed: each yields the events of Segment's spec that it holds, in time order."""
