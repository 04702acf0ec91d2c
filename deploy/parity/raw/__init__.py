"""Raw logs as tidy frames of events, read without the adapters and the engine that are being checked."""
