"""The demo: the whole stack, a simulated storefront, and a view of what comes out."""
