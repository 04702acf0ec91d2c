"""The report as one self-contained page: no script, nothing loaded, everything of hers escaped."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from deploy.report import plots
from deploy.report.markup import Child, h, render
from deploy.report.plots import moment
from deploy.report.report import Judged, Line, Point, Report, Sent
from deploy.report.style import SHEET

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_WEIGHTY = 0.005


def page(report: Report) -> str:
    """The whole document."""
    head = h(
        "head",
        h("meta", charset="utf-8"),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        h("title", f"Customer {report.customer}"),
        h("style", SHEET),
    )
    body = h("body", h("main", _who(report), _figures(report), *_sections(report), _foot(report)))
    return "<!doctype html>\n" + render(h("html", head, body, lang="en")) + "\n"


def _sections(report: Report) -> list[Element]:
    return [
        _section("Scores over time", *_scores(report)),
        _section("Alerts, and what came of them", *_alerts(report)),
        _section("Spend by week", plots.spend(report.weeks, report.currency) if report.weeks else _none("order")),
        _section("When she comes (UTC)", plots.rhythm(report.rhythm)),
        _section("Recommended", *_recommended(report)),
        _section("In words", h("div", [_theme(name, told) for name, told in _words(report)], class_="columns")),
        _section("Predictions judged", _judged(report.judged)),
        _section("Timeline", _timeline(report.timeline), long=True),
    ]


def _section(title: str, *children: Child, long: bool = False) -> Element:
    return h("section", h("h2", title), *children, class_="long" if long else None)


def _none(what: str) -> Element:
    return h("p", f"No {what} that the topics still tell of.", class_="soft")


def _who(report: Report) -> Element:
    kind = "gone" if report.segment.startswith("Lapsed") else "best" if report.segment == "VIP" else ""
    known = "customer" if report.signed_in else "visitor who has not signed in"
    lines = [
        f"A {known}, first seen {moment(report.first)}, last seen {moment(report.last)}; {report.events:,} behaviours."
    ]
    if report.asked != report.customer:
        lines.append(f"Asked for as {report.asked}, which is a device of hers.")
    if report.devices:
        lines.append(f"Devices that became hers: {', '.join(report.devices)}.")
    return h(
        "div",
        h("header", h("h1", report.customer), h("span", report.segment, class_=f"badge {kind}".strip())),
        h("p", f"{report.segment}: {report.segment_rule}.", class_="soft"),
        [h("p", line, class_="soft small") for line in lines],
    )


def _figures(report: Report) -> Element:
    value = {told.name: told.value for group in report.features.values() for told in group}
    money = report.currency

    def said(name: str, form: str, unit: str = "") -> str:
        number = value.get(name)
        return "-" if number is None else f"{number:{form}}{unit}"

    figures = [
        (said("orders_total", ",.0f"), "orders"),
        (said("spend_total", ",.2f"), f"{money} spent"),
        (said("order_value_mean", ",.2f"), f"{money} an order"),
        (said("days_since_order", ",.0f"), "days since the last"),
        (said("gap_mean_days", ",.1f"), "days between orders"),
    ]
    if report.scores:
        newest = report.scores[-1]
        figures += [(f"{newest.churn:.0%}", "churn"), (f"{newest.intent:.0%}", "intent")]
        if newest.value is not None:
            figures.append((f"{newest.value:,.2f}", f"{money} expected"))
    return h("section", [h("div", h("b", number), h("span", words, class_="soft small")) for number, words in figures],
             class_="figures")  # fmt: skip


def _scores(report: Report) -> list[Child]:
    points = report.scores
    if not points:
        return [_none("score")]
    key = [
        ("churn", "churn: no order within the churn horizon"),
        ("intent", "intent: an order within the intent horizon"),
    ]
    if report.alerts:
        key.append(("alert", "alert"))
    newest = next((point for point in reversed(points) if point.reasons), points[-1])
    return [
        h("div", [h("span", h("i", class_=name), words) for name, words in key], class_="key"),
        plots.scores(points, report.alerts),
        h("p", f"{moment(newest.at)}, after {newest.trigger.replace('_', ' ')}: churn {newest.churn:.0%}, "
          f"intent {newest.intent:.0%}, by {_source(newest)}.", class_="soft small"),
        h("div", [_reasons(newest, n) for n in range(len(newest.reasons))], class_="columns"),
    ]  # fmt: skip


def _source(point: Point) -> str:
    if point.source == "ensemble":
        return "BERT and the online models"
    return f"the online models alone ({point.fallback.replace('_', ' ')})" if point.fallback else "the online models"


def _reasons(point: Point, which: int) -> Element:
    why = point.reasons[which]
    pairs = [(words, weight) for words, weight in zip(why.words, why.weights, strict=True) if abs(weight) >= _WEIGHTY]
    rows = [
        h("li", words, h("span", "raises it" if weight > 0 else "lowers it", class_="tag")) for words, weight in pairs
    ]
    return h("div", h("h3", f"Why {why.target}"), h("ul", rows or [h("li", "nothing stands out", class_="soft")]))


def _alerts(report: Report) -> list[Child]:
    held = "Held out: this customer gets no alerts that are meant to sell, so that their effect can be measured."
    return [
        h("p", held, class_="soft") if report.holdout else None,
        [_alert(alert) for alert in reversed(report.alerts)] or _none("alert"),
    ]


def _alert(alert: Sent) -> Element:
    after = alert.after
    came = [f"Reported: {what}." for what in alert.outcomes]
    if after.orders:
        number = f"{after.orders} order{'s' * (after.orders != 1)} worth {after.spend:,.2f}"
        came.append(f"{number} within {after.days} days, the first {_long(after.first_days or 0.0)} after it.")
    return h(
        "div",
        h("p", h("b", alert.kind.replace("_", " ")), h("span", alert.severity, class_=f"tag {alert.severity}"),
          h("span", f"{alert.action.replace('_', ' ')} · {alert.channel}", class_="tag"),
          h("span", moment(alert.at), class_="soft small", style="float: right")),
        h("p", alert.text),
        h("p", "Because: " + "; ".join(alert.reasons) + ".", class_="soft small") if alert.reasons else None,
        h("p", " ".join(came), class_="came small") if came else h("p", "No order since.", class_="soft small"),
        class_="alert",
    )  # fmt: skip


def _long(days: float) -> str:
    return f"{days:.1f} days" if days >= 1 else f"{days * 24:.1f} hours"


def _recommended(report: Report) -> list[Child]:
    if report.recommended_at is None:
        return [_none("recommendation")]
    rows = [
        h("tr", h("td", one.item), h("td", one.words), h("td", one.source, class_="soft")) for one in report.recommended
    ]
    return [
        h("p", f"As of {moment(report.recommended_at)}.", class_="soft small"),
        h("table", h("tr", h("th", "Item"), h("th", "Why"), h("th", "Source")), rows),
    ]


def _words(report: Report) -> list[tuple[str, list[str]]]:
    return [(theme, [one.words for one in told if one.value is not None]) for theme, told in report.features.items()
            if theme != "Everything else"]  # fmt: skip


def _theme(name: str, words: Sequence[str]) -> Element:
    return h("div", h("h3", name), h("ul", [h("li", one) for one in words] or h("li", "nothing yet", class_="soft")))


def _judged(judged: Sequence[Judged]) -> Element:
    if not judged:
        return _none("prediction whose horizon is over")
    shown = list(reversed(judged))[:12]
    head = h("tr", h("th"), h("th", "Predicted"), h("th", "Happened"))
    rows = [(moment(one.at), _predicted(one), _happened(one)) for one in shown]
    return h(
        "table", head, [h("tr", h("td", at, class_="when"), h("td", said), h("td", was)) for at, said, was in rows]
    )


def _predicted(one: Judged) -> str:
    if one.served is None:
        return f"{one.target}: nothing"
    return f"{one.target}: {one.served:,.2f}" if one.target == "value" else f"{one.target}: {one.served:.0%}"


def _happened(one: Judged) -> str:
    if one.target == "value":
        return f"spent {one.amount or 0.0:,.2f}"
    bought = one.label == (one.target == "intent")
    return "bought" if bought else "did not buy"


def _timeline(lines: Sequence[Line]) -> Element:
    return h("table", [
        h("tr", h("td", moment(line.at), class_="when"), h("td", class_=f"dot {line.kind}"),
          h("td", line.what, h("div", line.detail, class_="soft small") if line.detail else None))
        for line in lines
    ])  # fmt: skip


def _foot(report: Report) -> Element:
    parts = [f"{name} {said['read']:,} of {said['of']:,}" for name, said in sorted(report.searched.items())]
    return h("footer", f"As of {moment(report.as_of)} UTC. Records looked at: {', '.join(parts)}.")
