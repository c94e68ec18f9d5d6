"""A YAML mapping read key by key, with the line of everything that is wrong.

The toolkit decodes its file strictly (yaml.v2 ``UnmarshalStrict``): unknown keys and keys given twice are errors. PyYAML's
loader drops line numbers and takes the last of two equal keys, so the tree of nodes is read instead.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Collection

_STRING, _NULL, _BOOLEAN = (f"tag:yaml.org,2002:{name}" for name in ("str", "null", "bool"))
_INTEGER, _MERGE = (f"tag:yaml.org,2002:{name}" for name in ("int", "merge"))
_MAX_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a configuration file.

    ``line`` counts from 1 and is None where the fault has no line (the file cannot be read).
    ``message`` is one line, and never quotes a key, a hash or a password.
    """

    line: int | None
    message: str

    def __str__(self) -> str:
        return self.message if self.line is None else f"line {self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A text value and the line it stands on, counted from 1."""

    text: str
    line: int


def shown(text: str) -> str:
    """Return text from the file as it may stand in a message: quoted, without control characters, shortened."""
    return repr(text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…")


def line_of(node: yaml.Node) -> int:
    """Return the line a node begins on, counted from 1."""
    return int(node.start_mark.line) + 1


def compose(text: str) -> tuple[yaml.Node | None, list[Problem]]:
    """Read a YAML document into nodes; an empty one is None. Faults of the syntax come back as problems."""
    try:
        return yaml.compose(text, yaml.SafeLoader), []
    except yaml.MarkedYAMLError as error:
        # Not str(error): it quotes the lines around the fault, and they may hold a key.
        mark = error.problem_mark or error.context_mark
        said = ", ".join(part for part in (error.context, error.problem) if part)
        return None, [Problem(None if mark is None else mark.line + 1, f"not YAML: {said}")]
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return None, [Problem(line, f"not YAML: character #x{ord(str(error.character)[:1]):04x} is not allowed")]
    except RecursionError:
        return None, [Problem(None, "not YAML: nested too deeply")]


class Section:
    """A mapping of the document.

    The getters return the value, or the default where the key is absent, null, or not of the type asked (which is then
    noted in ``problems``).
    """

    def __init__(
        self,
        name: str,
        node: yaml.Node | None,
        problems: list[Problem],
        keys: Collection[str] | None = None,
        line: int | None = None,
    ) -> None:
        """Note unknown keys (unless ``keys`` is None: any key is allowed) and keys given twice."""
        self.name = name
        self.line = line_of(node) if line is None and node is not None else line
        self._problems = problems
        self._lines: dict[str, int] = {}
        self._nodes = self._read(node)
        if keys is not None:
            self._refuse_unknown(keys)

    def line_at(self, key: str) -> int | None:
        """Return the line of a key, or of the section where the key is absent."""
        return self._lines.get(key, self.line)

    def note(self, message: str, key: str | None = None) -> None:
        """Add a problem at a key, or at the section."""
        self._problems.append(Problem(self.line if key is None else self.line_at(key), message))

    def note_at(self, line: int, message: str) -> None:
        """Add a problem at a line."""
        self._problems.append(Problem(line, message))

    def text(self, key: str) -> str | None:
        """Return a scalar as written. Numbers count as text, as for yaml.v2: ``X-XSS-Protection: 1`` is "1"."""
        node = self._nodes.get(key)
        if node is None:
            return None
        if not isinstance(node, yaml.ScalarNode):
            self.note(f"{key} must be a text", key)
            return None
        return str(node.value)

    def boolean(self, key: str, *, default: bool) -> bool:
        """Return a YAML 1.1 boolean (true, yes, on …)."""
        node = self._nodes.get(key)
        if node is None:
            return default
        if node.tag != _BOOLEAN:
            self.note(f"{key} must be true or false", key)
            return default
        return str(node.value).lower() in {"true", "yes", "on"}

    def integer(self, key: str, default: int) -> int:
        """Return a decimal whole number."""
        node = self._nodes.get(key)
        if node is None:
            return default
        try:
            return int(str(node.value)) if node.tag == _INTEGER else self._not_integer(key, default)
        except ValueError:  # YAML 1.1 also writes 0x10, 0b1 and 1:30
            return self._not_integer(key, default)

    def entries(self, key: str) -> tuple[Entry, ...] | None:
        """Return a list of texts with their lines."""
        node = self._nodes.get(key)
        if node is None:
            return None
        if not isinstance(node, yaml.SequenceNode):
            self.note(f"{key} must be a list", key)
            return None
        items = [item for item in node.value if isinstance(item, yaml.ScalarNode) and item.tag != _NULL]
        if len(items) < len(node.value):
            self.note(f"{key} must be a list of texts", key)
        return tuple(Entry(str(item.value), line_of(item)) for item in items)

    def section(self, key: str, keys: Collection[str] | None = None) -> Section:
        """Return a mapping below this one; an absent one is an empty section."""
        return Section(key, self._nodes.get(key), self._problems, keys, self.line_at(key))

    def sections(self, key: str, keys: Collection[str]) -> tuple[Section, ...]:
        """Return a list of mappings."""
        node = self._nodes.get(key)
        if node is None:
            return ()
        if not isinstance(node, yaml.SequenceNode):
            self.note(f"{key} must be a list", key)
            return ()
        return tuple(Section(f"an entry of {key}", item, self._problems, keys) for item in node.value)

    def one_or_more(self, key: str, keys: Collection[str]) -> tuple[Section, ...]:
        """Return a mapping, or each of a list of mappings."""
        node = self._nodes.get(key)
        if node is None:
            return ()
        return self.sections(key, keys) if isinstance(node, yaml.SequenceNode) else (self.section(key, keys),)

    def texts(self) -> dict[str, str]:
        """Return every key with its text; null is the empty text."""
        return {key: "" if node.tag == _NULL else self.text(key) or "" for key, node in self._nodes.items()}

    def mentions(self, key: str) -> bool:
        """Whether a key is written, even with nothing behind it."""
        return key in self._lines

    def keys(self) -> tuple[str, ...]:
        """Return the keys, in the order of the file."""
        return tuple(self._nodes)

    def _not_integer(self, key: str, default: int) -> int:
        self.note(f"{key} must be a whole number", key)
        return default

    def _read(self, node: yaml.Node | None) -> dict[str, yaml.Node]:
        if node is None or (node.tag == _NULL and isinstance(node, yaml.ScalarNode)):
            return {}
        if not isinstance(node, yaml.MappingNode):
            self._problems.append(Problem(line_of(node), f"{self.name} must be a mapping"))
            return {}
        return self._pairs(node, ())

    def _pairs(self, node: yaml.MappingNode, outer: tuple[yaml.MappingNode, ...]) -> dict[str, yaml.Node]:
        """Return the keys of a mapping; those merged in by ``<<`` fill what it leaves open. ``outer`` merge this one."""
        found: dict[str, yaml.Node] = {}
        merged: list[yaml.Node] = []
        for key, value in node.value:
            if key.tag == _MERGE:
                merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
            elif not isinstance(key, yaml.ScalarNode):
                self._problems.append(Problem(line_of(key), f"{self.name}: a key must be a text"))
            elif key.value in found:
                self._problems.append(Problem(line_of(key), f"{self.name}: key {shown(key.value)} is given twice"))
            else:
                found[key.value] = value
                self._lines.setdefault(key.value, line_of(key))
        for other in merged:
            if not isinstance(other, yaml.MappingNode) or other is node or other in outer:
                self._problems.append(Problem(line_of(other), f"{self.name}: << must name another mapping"))
            else:
                found = self._pairs(other, (*outer, node)) | found
        return found

    def _refuse_unknown(self, known: Collection[str]) -> None:
        for key in [key for key in self._nodes if key not in known]:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f", did you mean {near[0]}?" if near else ""
            self.note(f"{self.name}: unknown key {shown(key)}{hint}", key)
        self._nodes = {key: node for key, node in self._nodes.items() if key in known and node.tag != _NULL}
