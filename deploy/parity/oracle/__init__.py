"""The oracle: every registered feature reckoned from whole histories, a group of features a file."""
