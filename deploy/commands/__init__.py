"""One command or command group a module, each with `register(app)`; `deploy.cli` finds them by themselves."""
