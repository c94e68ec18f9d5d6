"""The screens: all peers, and one of them. What is asked of the exporter is asked in a thread; keys never wait for it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import ClassVar, Final

from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Input, Static

from racoon_exporter.top.client import Client, Trouble
from racoon_exporter.top.detail import Section
from racoon_exporter.top.model import ORDERS, Row, Sight, chosen, next_order
from racoon_exporter.top.source import all_peers, one_peer
from racoon_exporter.top.table import PeerTable

_LONGEST_FILTER: Final = 100


class Heading(Static):
    """One line above all: what is looked at, and whether it is live."""

    def say(self, text: str, trouble: str) -> None:
        """Show a text, or what keeps it from being live."""
        said = Text(f"NOT LIVE: {trouble}", style="reverse bold") if trouble else Text(text, style="bold")
        said.no_wrap, said.overflow = True, "ellipsis"
        self.update(said)


class Peers(Screen[None]):
    """All peers."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "open", "Open", key_display="Enter"),
        Binding("slash", "filter", "Filter"),
        Binding("s", "sort(1)", "Sort"),
        Binding("S", "sort(-1)", "Sort back", show=False),
        Binding("p", "app.pause", "Pause"),
        Binding("r", "app.ask", "Now", show=False),
        Binding("escape", "leave_filter", "All", show=False),
        Binding("q", "app.quit", "Quit"),
    ]

    def __init__(self, first: Sight, url: str) -> None:
        super().__init__()
        self.order = next(iter(ORDERS))
        self.wanted = ""
        self._sight = first
        self._url = url

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield Heading(id="heading", markup=False)
        yield Static(id="summary", markup=False)
        yield PeerTable()
        yield Input(id="filter", placeholder="name, address, gateway, state, reason", max_length=_LONGEST_FILTER)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Begin with the list."""
        self.query_one("#filter").display = False
        self.query_one(PeerTable).focus()
        self.show(None, "", paused=False)

    def show(self, sight: Sight | None, trouble: str, *, paused: bool) -> None:
        """Show what was answered."""
        self._sight = sight or self._sight
        paused_text = "  PAUSED" if paused else ""
        self.query_one(Heading).say(f"racoon top  {self._url}  {self._sight.time}{paused_text}", trouble)
        self._draw()

    def _draw(self) -> None:
        rows = chosen(self._sight.rows, self.order, self.wanted)
        found = f"{len(rows)} of {len(self._sight.rows)} with “{self.wanted}”; " if self.wanted else ""
        self.query_one("#summary", Static).update(Text(f"{found}{self._sight.summary}; {self.order}"))
        self.query_one(PeerTable).show(rows, self.app.size.width, several=self._sight.several)

    def on_resize(self, _event: Resize) -> None:
        """Choose columns anew."""
        self._draw()

    def action_sort(self, step: int) -> None:
        """Go on to the next order."""
        self.order = next_order(self.order, step)
        self._draw()

    def action_filter(self) -> None:
        """Begin to type a filter."""
        field = self.query_one("#filter", Input)
        field.display = True
        field.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while it is typed."""
        self.wanted = event.value.strip()
        self._draw()

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        """Go back to the list; the filter stays."""
        self.query_one("#filter").display = bool(self.wanted)
        self.query_one(PeerTable).focus()

    def action_leave_filter(self) -> None:
        """Show all again."""
        field = self.query_one("#filter", Input)
        field.value = ""
        field.display = False
        self.query_one(PeerTable).focus()

    def on_data_table_row_selected(self, _event: DataTable.RowSelected) -> None:
        """Open the peer under the cursor."""
        self.action_open()

    def action_open(self) -> None:
        """Open the peer under the cursor."""
        row = self.query_one(PeerTable).chosen
        if row is not None:
            self.app.push_screen(OnePeer(row))


class OnePeer(Screen[None]):
    """One peer: state, what to do, availability, SAs, failures, outages."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back"),
        Binding("backspace", "app.pop_screen", "Back", show=False),
        Binding("p", "app.pause", "Pause"),
        Binding("r", "app.ask", "Now", show=False),
        Binding("q", "app.quit", "Quit"),
    ]

    def __init__(self, row: Row) -> None:
        super().__init__()
        self.row = row

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield Heading(id="heading", markup=False)
        with VerticalScroll(id="story"):
            yield Static("Asking the exporter …", id="told", markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Ask at once."""
        self.query_one(Heading).say(self.row.name, "")
        self.query_one("#story").focus()
        assert isinstance(self.app, Top)
        self.app.ask()

    def show(self, told: list[Section] | None, trouble: str) -> None:
        """Show what was answered."""
        self.query_one(Heading).say(self.row.name, trouble)
        if told is not None:
            text = Text()
            for section in told:
                text.append(f"{section.title}\n", style="bold underline")
                text.append("".join(f"  {line}\n" for line in section.lines) + "\n")
            self.query_one("#told", Static).update(text)


class Top(App[None]):
    """The program."""

    TITLE = "racoon top"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { background: $background; }
    Heading, #summary { height: 1; padding: 0 1; }
    PeerTable { height: 1fr; scrollbar-size-vertical: 1; }
    PeerTable > .datatable--cursor { text-style: reverse; }
    #filter { border: none; height: 1; padding: 0 1; }
    #story { padding: 0 1; scrollbar-size-vertical: 1; }
    """

    def __init__(self, client: Client, first: Sight, interval: float) -> None:
        """Show `first`, and ask `client` anew every so many seconds."""
        super().__init__(ansi_color=True)
        self._client = client
        self._interval = interval
        self._asking = Lock()
        self.paused = False
        self.peers = Peers(first, client.shown)

    def on_mount(self) -> None:
        """Begin with all peers."""
        self.push_screen(self.peers)
        self.set_interval(self._interval, self._tick)

    def _tick(self) -> None:
        if not self.paused:
            self.ask()

    def action_pause(self) -> None:
        """Hold still, or go on."""
        self.paused = not self.paused
        self._show(None, None, "")

    def action_ask(self) -> None:
        """Ask at once."""
        self.ask()

    @work(thread=True, exclusive=True, group="ask")
    def ask(self) -> None:
        """Ask for what the screen shows."""
        opened = self.screen
        with self._asking:
            sight, told, trouble = None, None, ""
            try:
                if isinstance(opened, OnePeer):
                    told = one_peer(self._client, opened.row)
                else:
                    sight = all_peers(self._client)
            except Trouble as error:
                trouble = str(error)
        self.call_from_thread(self._show, sight, told, trouble)

    def _show(self, sight: Sight | None, told: list[Section] | None, trouble: str) -> None:
        if isinstance(self.screen, OnePeer):
            self.screen.show(told, trouble)
        self.peers.show(sight, trouble, paused=self.paused)


def run(client: Client, interval: float, *, start: Callable[[Top], None] = lambda app: app.run()) -> None:
    """Ask once, so that what is wrong is said in one line, then show it. Raises Trouble."""
    start(Top(client, all_peers(client), interval))


__all__ = ["OnePeer", "Peers", "Top", "run"]
