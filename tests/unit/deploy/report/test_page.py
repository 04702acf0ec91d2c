"""The page: whole, self-contained, and nothing of hers becomes HTML."""

import html
import re
from html.parser import HTMLParser
from io import StringIO
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from deploy.report import plots
from deploy.report.build import build
from deploy.report.markup import h, render
from deploy.report.page import page
from deploy.report.report import Week
from deploy.report.terminal import show
from stream.features.ids import Device, Identity
from stream.features.profile import Profile
from stream.settings import Settings
from tests.unit.deploy.report.customers import HOSTILE, found


class Parsed(HTMLParser):
    """The elements and the text of a page, as a browser would see them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_hostile_customer_becomes_no_element_and_no_attribute() -> None:
    hers = found(f"c{HOSTILE}", HOSTILE)
    hers.asked = HOSTILE
    hers.profile.ids = Identity(devices={HOSTILE: Device(1, 1)}, logins=[(1, HOSTILE)])
    hers.devices = [HOSTILE]
    plain, hostile = Parsed(page(build(Settings(), found()))), Parsed(page(build(Settings(), hers)))
    assert hostile.tags <= plain.tags
    assert "script" not in hostile.tags | plain.tags
    assert hostile.attributes <= plain.attributes
    assert "<script>alert(1)</script>" in hostile.text
    assert "\x00" not in hostile.text


def test_the_page_loads_nothing() -> None:
    found_page = page(build(Settings(), found()))
    assert not re.search(r"(src=|href=|url\(|@import|https?://)", found_page)
    assert "default-src 'none'" in html.unescape(found_page)
    assert found_page.count("<svg") == 3


def test_the_page_of_a_customer_of_whom_hardly_anything_is_known() -> None:
    hers = found()
    hers.records, hers.profile = {}, Profile("ann", first=1, last=1)
    text = Parsed(page(build(Settings(), hers))).text
    assert "No score" in text
    assert "No order" in text


def test_one_who_is_held_out_is_said_to_be() -> None:
    assert "Held out" in page(build(Settings(holdout_share=0.999), found()))


@given(st.text(max_size=40), st.text(max_size=40))
def test_texts_and_attributes_come_out_of_the_parser_as_they_went_in(text: str, attribute: str) -> None:
    printable = "".join(c for c in text if c >= " " and not "\ud800" <= c <= "\udfff")
    parsed = Parsed(render(h("p", printable, h("b"), "tail", title=attribute)))
    assert parsed.tags == {"p", "b"}
    assert parsed.attributes == {"title"}
    assert parsed.text == printable + "tail"


def test_a_plot_of_one_score_and_of_weeks_without_any_spend() -> None:
    point = build(Settings(), found()).scores[0]
    empty = [Week(0, 0, 0.0)]
    for drawn in (plots.scores([point], []), plots.spend(empty, "USD"), plots.rhythm([[0] * 24] * 7)):
        assert isinstance(drawn, Element)
        assert "nan" not in render(drawn)


@pytest.mark.parametrize("words", ["fine", "[red]bold[/red] [/]"])
def test_the_terminal_says_the_same_and_takes_no_markup(words: str) -> None:
    said = StringIO()
    show(build(Settings(), found("ann", words)), Console(file=said, width=200))
    assert words in said.getvalue()
    assert "Spend by week" in said.getvalue()
