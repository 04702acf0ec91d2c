"""Plain ways to predict the same things, to be measured beside BERT; they need the extra `train`."""
