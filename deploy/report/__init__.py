"""The report on one customer: read from the topics, made into plain data, and shown."""
