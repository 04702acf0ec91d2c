"""Running it: the local stack, the command line, dashboards, containers."""
