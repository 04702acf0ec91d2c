"""Training and export of BERT. The only place that imports torch and transformers (`pip install 'footfall[train]'`)."""
