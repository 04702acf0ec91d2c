"""The engine: profiles from events, scores from profiles, labels from what came next."""
