"""The shell around the engine: transport, stores, producers, administration."""
