"""A storefront that never was: seeded customers whose future is known, for the demo and for tests."""
