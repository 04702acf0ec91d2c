"""Which pages may send from a browser (Fetch standard, CORS protocol)."""

from collections.abc import MutableMapping


class Cors:
    """`origins` are exact origins, or `*` for any. No credentials are ever allowed: the write key is public."""

    def __init__(self, origins: tuple[str, ...], methods: str = "POST, OPTIONS") -> None:
        self._methods = methods
        self._any = "*" in origins
        self._origins = frozenset(origins)

    def add(self, origin: str | None, headers: MutableMapping[str, str]) -> None:
        """Put what lets the page of `origin` read the answer into `headers`."""
        if self._any:
            headers["Access-Control-Allow-Origin"] = "*"
            return
        headers["Vary"] = "Origin"
        if origin in self._origins and origin is not None:
            headers["Access-Control-Allow-Origin"] = origin

    def preflight(self, origin: str | None) -> dict[str, str]:
        """The headers that answer a preflight: none for an origin that may not send."""
        if not (self._any or origin in self._origins):
            return {}
        return {
            "Access-Control-Allow-Methods": self._methods,
            "Access-Control-Allow-Headers": "Authorization, Content-Type, Content-Encoding",
            "Access-Control-Max-Age": "86400",
        }
