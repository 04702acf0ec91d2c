"""How good predictions are: plain numpy, no model and no data of its own."""
