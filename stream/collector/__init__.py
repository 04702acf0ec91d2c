"""The HTTP door: what Segment's SDKs send goes to Kafka, and is answered once Kafka has it."""
