from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from racoon_exporter.wording.markup import Html, element


class Parsed(HTMLParser):
    """What a browser would see: elements, their attributes, and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text())
def test_text_never_becomes_markup(text: str) -> None:
    parsed = Parsed(element("p", text, title=text))
    assert [name for name, _ in parsed.elements] == ["p"]
    assert list(parsed.elements[0][1]) == ["title"]
    assert parsed.elements[0][1]["title"] == parsed.text
    assert not any(ord(char) < 32 or char in "\u202e\u2028\x7f" for char in parsed.text)


def test_markup_stays_and_nests() -> None:
    assert element("p", "a", element("b", "c"), [None, "d"]) == "<p>a<b>c</b>d</p>"


def test_attributes_have_their_html_names_and_true_has_no_value() -> None:
    written = element("a", class_="x", aria_label='"', defer=True, hidden=False, id=None, for_="q")
    assert written == '<a class="x" aria-label="&quot;" defer for="q"></a>'


def test_void_elements_have_no_end() -> None:
    assert element("br") == "<br>"
    assert element("rect", x=1) == '<rect x="1"/>'


def test_what_element_gives_is_markup_and_joined_text_is_not() -> None:
    assert isinstance(element("p"), Html)
    joined: str = element("p") + "<i>"
    assert not isinstance(joined, Html)


def test_a_giant_text_is_cut_openly() -> None:
    written = element("p", "x" * 70_000)
    assert len(written) < 3000
    assert written.endswith("…</p>")
