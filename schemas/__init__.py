"""The contract: events, topics, features, outputs and errors. Imports nothing else of Footfall."""

from schemas.compiled import prefer

prefer()
