"""These tests need the extra `train`; without torch there is nothing here to collect."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("torch") else ["test_*.py"]
