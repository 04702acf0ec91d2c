"""Versions of BERT on a Triton that runs: published, tried, promoted, rolled back, mended."""
