"""One small policy a kind of alert: when it applies, how strong it is, what is at stake and what to do."""
