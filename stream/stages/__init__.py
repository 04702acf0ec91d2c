"""One thin Faust app a stage: bytes in, pure functions, bytes out."""
