"""BERT: the story it reads, its training and export, and the client that asks Triton."""
