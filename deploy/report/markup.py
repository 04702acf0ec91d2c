"""HTML and SVG as trees, so that every text and attribute is escaped by the serializer and none can be forgotten."""

from collections.abc import Iterable
from typing import TypeAlias
from xml.etree import ElementTree as ET

Child: TypeAlias = "str | ET.Element | Iterable[Child] | None"


def h(tag: str, *children: Child, **attributes: object) -> ET.Element:
    """An element; `class_` gives `class`, `stroke_width` `stroke-width`. None, as a child or an attribute, is nothing.

    >>> render(h("p", "a < b", h("br"), class_='"x"'))
    '<p class="&quot;x&quot;">a &lt; b<br></p>'
    """
    given = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items() if value is not None}
    element = ET.Element(tag, {name: _number(value) for name, value in given.items()})
    _append(element, children)
    return element


def render(element: ET.Element) -> str:
    """The tree as HTML; characters that no document may have are replaced."""
    return ET.tostring(element, encoding="unicode", method="html").encode("utf-8", "replace").decode()


def _append(element: ET.Element, child: Child) -> None:
    if child is None:
        return
    if isinstance(child, ET.Element):
        element.append(child)
    elif isinstance(child, str):
        text = "".join(c if c >= " " or c in "\n\t" else "\ufffd" for c in child)
        if len(element):
            element[-1].tail = (element[-1].tail or "") + text
        else:
            element.text = (element.text or "") + text
    else:
        for one in child:
            _append(element, one)


def _number(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
