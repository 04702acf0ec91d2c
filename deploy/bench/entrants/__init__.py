"""The contenders, each a process of its own: `python -m deploy.bench.entrants.NAME JOB`."""
