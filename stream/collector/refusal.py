"""Why a request is refused: a value that becomes an HTTP answer."""

from schemas.errors import FootfallError, Rejected


class Refused(FootfallError):
    """`status` of the answer, `path` of the field at fault in the body (`$` for the whole), `reason`, `detail`."""

    def __init__(self, status: int, reason: str, detail: str, path: str = "$") -> None:
        super().__init__(f"{status} {reason}: {detail} - at `{path}`")
        self.status = status
        self.reason = reason
        self.detail = detail
        self.path = path

    @classmethod
    def of(cls, rejected: Rejected, where: str) -> "Refused":
        """The refusal of the message at `where` (empty when it is the whole body)."""
        return cls(400, rejected.reason.value, rejected.detail, join(where, rejected.path))

    def body(self) -> dict[str, dict[str, str]]:
        """The answer's JSON."""
        return {"error": {"path": self.path, "reason": self.reason, "detail": self.detail}}


def join(where: str, path: str) -> str:
    """`batch[2]` and `$.properties.price` make `batch[2].properties.price`.

    >>> join("batch[2]", "$.timestamp"), join("batch[2]", "$"), join("", "$.timestamp"), join("", "$")
    ('batch[2].timestamp', 'batch[2]', 'timestamp', '$')
    """
    inner = path.removeprefix("$").removeprefix(".")
    return ".".join(part for part in (where, inner) if part) or "$"
