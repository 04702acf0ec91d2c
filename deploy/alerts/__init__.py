"""The reference retention consumer: what a system that acts on alerts has to do, done plainly."""
