"""Which alerts somebody wants to see."""

from dataclasses import dataclass

from schemas.outputs import Alert


@dataclass(frozen=True, slots=True)
class Wanted:
    """Kinds, severities and customers (empty: any); `open_only` leaves out what is no longer worth acting on."""

    kinds: frozenset[str] = frozenset()
    severities: frozenset[str] = frozenset()
    customers: frozenset[str] = frozenset()
    open_only: bool = False

    def __call__(self, alert: Alert, now: int) -> bool:
        """Whether this is one, at `now` (epoch ms)."""
        return (
            (not self.kinds or alert.kind in self.kinds)
            and (not self.severities or alert.severity in self.severities)
            and (not self.customers or alert.customer in self.customers)
            and (not self.open_only or not alert.expires_at or alert.expires_at > now)
        )
