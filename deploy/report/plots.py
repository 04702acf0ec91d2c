"""The report's plots as SVG: scores over time, spend by week, rhythm by hour and weekday. Colours are the page's."""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from deploy.report.markup import h
from deploy.report.report import Point, Sent, Week

WIDTH = 880
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 16, 26, 28
_SHORT_MS = 4 * 86_400_000
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_CELL_W, _CELL_H = 34, 24


def scores(points: Sequence[Point], alerts: Sequence[Sent]) -> Element:
    """Churn and intent over event time, the alerts marked where they were sent."""
    height = 270
    first, last = points[0].at, max(points[-1].at, points[0].at + 1)
    x = _scale(first, last, _LEFT, WIDTH - _RIGHT)
    y = _scale(0.0, 1.0, height - _BOTTOM, _TOP)
    say = day if last - first > _SHORT_MS else moment
    drawn = [_level(f"{share:.0%}", y(share)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    drawn += [_tick(say(at), x(at), height) for at in _spread(first, last, 6)]
    drawn += [_flag(alert, x(alert.at), height) for alert in alerts if first <= alert.at <= last]
    for target in ("churn", "intent"):
        values = [(x(point.at), y(getattr(point, target)), point) for point in points]
        path = " ".join(f"{'L' if n else 'M'}{a:.1f} {b:.1f}" for n, (a, b, _) in enumerate(values))
        drawn.append(h("path", d=path, class_=f"line {target}"))
        # A dot for each of a few hundred scores would be a smear.
        if len(values) <= 120:
            drawn += [
                h(
                    "circle",
                    _title(f"{target} {b:.0%} · {moment(p.at)} · {p.trigger}"),
                    cx=a,
                    cy=c,
                    r=2.6,
                    class_=target,
                )
                for a, c, p in values
                for b in (getattr(p, target),)
            ]
    return _svg("Churn and intent over time, with alerts", WIDTH, height, drawn)


def spend(weeks: Sequence[Week], currency: str) -> Element:
    """A bar for each week."""
    height = 200
    top = _nice(max((week.spend for week in weeks), default=0.0))
    y = _scale(0.0, top, height - _BOTTOM, _TOP)
    room = (WIDTH - _LEFT - _RIGHT) / max(len(weeks), 6)
    drawn = [_level(f"{top * share:,.0f}", y(top * share)) for share in (0.0, 0.5, 1.0)]
    for n, week in enumerate(weeks):
        left = _LEFT + n * room + room * 0.15
        words = (
            f"week of {day(week.start)}: {week.spend:,.2f} {currency}, {week.orders} order{'s' * (week.orders != 1)}"
        )
        tall = y(0.0) - y(week.spend)
        if tall > 0:
            drawn.append(
                h("rect", _title(words), x=left, y=y(week.spend), width=room * 0.7, height=tall, rx=2, class_="bar")
            )
        if n % max(1, math.ceil(len(weeks) / 9)) == 0:
            drawn.append(h("text", day(week.start), x=left + room * 0.35, y=height - 9, class_="tick middle"))
    return _svg("Spend by week", WIDTH, height, drawn)


def rhythm(counts: Sequence[Sequence[int]]) -> Element:
    """A cell for each hour of the week; the darker, the more."""
    most = max((count for row in counts for count in row), default=0) or 1
    drawn = []
    for weekday, row in enumerate(counts):
        drawn.append(h("text", _DAYS[weekday], x=_LEFT - 8, y=_TOP + weekday * _CELL_H + 15, class_="tick end"))
        for hour, count in enumerate(row):
            drawn.append(
                h(
                    "rect",
                    _title(f"{_DAYS[weekday]} {hour:02d}:00: {count}"),
                    x=_LEFT + hour * _CELL_W,
                    y=_TOP + weekday * _CELL_H,
                    width=_CELL_W - 3,
                    height=_CELL_H - 3,
                    rx=3,
                    class_="cell" if count else "cell none",
                    # Square root: one visit must be seen beside twenty.
                    fill_opacity=round(0.15 + 0.85 * math.sqrt(count / most), 3) if count else None,
                )
            )
    drawn += [
        h("text", f"{hour:02d}", x=_LEFT + hour * _CELL_W + 15, y=_TOP - 8, class_="tick middle")
        for hour in range(0, 24, 3)
    ]
    return _svg("Behaviours by weekday and hour, UTC", WIDTH, _TOP + 7 * _CELL_H + 6, drawn)


def moment(at: int) -> str:
    """A time for people, in UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%d %b %Y, %H:%M")


def day(at: int) -> str:
    """A day for people, in UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%d %b")


def _svg(label: str, width: int, height: int, drawn: Sequence[Element]) -> Element:
    return h("svg", *drawn, viewBox=f"0 0 {width} {height}", role="img", aria_label=label)


def _title(words: str) -> Element:
    return h("title", words)


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    return lambda value: start + (end - start) * (value - low) / ((high - low) or 1.0)


def _level(words: str, y: float) -> Element:
    line = h("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y, class_="grid")
    return h("g", line, h("text", words, x=_LEFT - 8, y=y + 4, class_="tick end"))


def _tick(words: str, x: float, height: int) -> Element:
    side = "start" if x < _LEFT + 20 else "end" if x > WIDTH - _RIGHT - 20 else "middle"
    return h("text", words, x=x, y=height - 9, class_=f"tick {side}")


def _flag(alert: Sent, x: float, height: int) -> Element:
    words = f"{alert.kind.replace('_', ' ')} alert · {moment(alert.at)} · {alert.severity}"
    pole = h("line", x1=x, x2=x, y1=_TOP - 8, y2=height - _BOTTOM, class_="pole")
    head = h(
        "path", d=f"M{x:.1f} {_TOP - 4:.1f} l-5 -10 h10 z", class_=f"flag {'high' if alert.severity == 'high' else ''}"
    )
    return h("g", _title(words), pole, head)


def _spread(first: int, last: int, count: int) -> list[int]:
    return [first + (last - first) * n // (count - 1) for n in range(count)]


def _nice(most: float) -> float:
    """The next round number: 1, 2, 2.5 or 5 times a power of ten."""
    if most <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in (1.0, 2.0, 2.5, 5.0, 10.0) if step * power >= most)
