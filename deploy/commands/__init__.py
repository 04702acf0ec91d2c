"""The commands of `footfall`: one module a group, each with `register(app)`."""
