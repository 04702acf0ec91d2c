"""Features as pure functions: one definition for the stream, for replay and for training. Knows nothing of Kafka."""
