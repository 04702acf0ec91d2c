"""The local stack: broker, Triton and the parts between them, on one machine, without containers."""
