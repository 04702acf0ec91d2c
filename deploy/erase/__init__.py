"""`footfall erase` and `anonymise`: ask the stages, clear what no stage owns, and account for all of it."""
