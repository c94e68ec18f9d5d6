"""HTML that cannot be forgotten to be escaped: only `Html` is markup, every other text is made visible and escaped.

A typed builder instead of a template language: mypy checks what a page is made of, and the exporter's memory stays small.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Final

from racoon_exporter.text import visible


class Html(str):
    """Markup. Only this module and constants of the page make it; text of any other origin is a plain `str`."""

    __slots__ = ()


Child = str | Html | None | Iterable["Child"]
"""What may stand inside an element: text, markup, nothing, or several of these."""

_VOID: Final = frozenset({"meta", "link", "input", "br", "rect", "line", "path"})
_MOST_TEXT: Final = 2000
"""Characters shown of one text; a line of racoon may have 64 KiB."""


def escape(text: str) -> str:
    """Make text safe inside an element and inside a quoted attribute."""
    if len(text) > _MOST_TEXT:
        text = text[:_MOST_TEXT] + "…"
    return html.escape(visible(text))


def render(child: Child) -> str:
    """Write a child; text is escaped, markup is not."""
    if child is None:
        return ""
    if isinstance(child, Html):
        return str(child)
    if isinstance(child, str):
        return escape(child)
    return "".join(map(render, child))


def element(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Html:
    """Write an element; `class_` is `class`, `aria_label` is `aria-label`.

    True is an attribute without value; None and False are none at all.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Html(f"<{name}{written}>" if name in {"meta", "link", "input", "br"} else f"<{name}{written}/>")
    return Html(f"<{name}{written}>{render(children)}</{name}>")


def _attribute(key: str, value: str | float | bool | None) -> str:  # noqa: FBT001  an attribute without value
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
