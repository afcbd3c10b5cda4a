"""YAML in the dialect of Kubernetes: read as Go's YAML reads it, written as sigs.k8s.io/yaml writes it.

Flow: manifests go in, plain JSON values come out (never dates, never non-text keys), and back. The API server, kubectl
and every configuration file come here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from math import inf, isinf
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from yaml.scanner import ScannerError

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_MERGE = "tag:yaml.org,2002:merge"
_STRING = "tag:yaml.org,2002:str"
# Deeper than any manifest and shallow enough for every decoder and encoder that the value goes through.
_DEPTH_MAX = 200
# The longest integers (in binary) that may fit into 64 bits, leading zeros included.
_DIGITS_MAX = 128
_NULL = re.compile(r"(?:~|null|Null|NULL|)")
_BOOL = re.compile(r"(?:y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)")
_INT = re.compile(r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_TRUE = frozenset({"y", "yes", "true", "on"})
# libyaml's words differ between PyYAML and Go's port of it in these places.
_WORDING = {"mapping values are not allowed here": "mapping values are not allowed in this context"}


class YamlError(ValueError):
    """A text that is no YAML; the message is Go's (`yaml: line 2: ...`)."""


def load(text: str | bytes) -> Any:
    """The value of the first document; None when there is none. `YamlError` when it does not parse."""
    return load_reporting(text)[0]


def load_all(text: str | bytes) -> Iterator[Any]:
    """The values of all documents, empty ones as None."""
    for value, _duplicates in _documents(text):
        yield value


def load_reporting(text: str | bytes) -> tuple[Any, list[str]]:
    """The first document's value and Go's lines about keys that occur twice."""
    return next(_documents(text), (None, []))


_PROBLEMS = "yaml: unmarshal errors:\n"


def problem(duplicates: list[str]) -> str:
    """The one text of Go's error about keys that occur twice."""
    return _PROBLEMS + "\n".join(f"  {line}" for line in duplicates)


def problem_lines(text: str) -> list[str]:
    """The lines of such a text, each on its own as warnings tell them; any other text as it is."""
    _, found, lines = text.partition(_PROBLEMS)
    return [line.strip() for line in lines.split("\n")] if found else [text]


def _documents(text: str | bytes) -> Iterator[tuple[Any, list[str]]]:
    try:
        loader = _Loader(text)
    except yaml.YAMLError as error:
        raise YamlError(_message(error)) from None
    try:
        loader.get_event()  # the start of the stream
        while isinstance(loader.get_event(), DocumentStartEvent):
            construction = _Construction(loader)
            value = construction.value(loader.get_event(), 0)
            loader.get_event()  # the end of the document
            yield value, construction.duplicates
    except yaml.YAMLError as error:
        raise YamlError(_message(error)) from None
    finally:
        loader.dispose()


def _message(error: yaml.YAMLError) -> str:
    if not isinstance(error, yaml.MarkedYAMLError):
        return "yaml: control characters are not allowed"
    problem = error.problem or str(error.context)
    marks = [mark.line for mark in (error.context_mark, error.problem_mark) if mark is not None and mark.line]
    # Go's port counts lines from zero, one more when its scanner (not its parser) has failed, and hides line zero.
    line = marks[0] + isinstance(error, ScannerError) if marks else 0
    where = f"line {line}: " if line else ""
    return f"yaml: {where}{_WORDING.get(problem, problem)}"


class _Construction:
    """Turns the events of one document into plain values, with Go's idea of what a plain scalar means.

    An alias is the same value again, not a copy; what the copies would weigh is counted and bounded as Go does, since
    whoever writes the value out writes every one of them.
    """

    def __init__(self, loader: Any) -> None:
        self.duplicates: list[str] = []
        self._next: Callable[[], Any] = loader.get_event
        # Anchor -> value and number of nodes in it; None while the value is still being read.
        self._anchors: dict[str, tuple[Any, int] | None] = {}
        self._nodes = 0
        self._aliased = 0

    def value(self, event: Any, depth: int) -> Any:
        """The value that begins with this event."""
        if depth > _DEPTH_MAX:
            raise YamlError("yaml: exceeded max depth")
        if isinstance(event, AliasEvent):
            return self._alias(event.anchor or "")
        before = self._nodes
        self._nodes += 1
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        if isinstance(event, ScalarEvent):
            value = _scalar(event)
        elif isinstance(event, SequenceStartEvent):
            value = self._sequence(depth)
        else:
            value = self._mapping(depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = value, self._nodes - before
        return value

    def _alias(self, anchor: str) -> Any:
        if anchor not in self._anchors:
            raise YamlError(f"yaml: unknown anchor '{anchor}' referenced")
        known = self._anchors[anchor]
        if known is None:
            raise YamlError(f"yaml: anchor '{anchor}' value contains itself")
        value, weight = known
        self._nodes += weight
        self._aliased += weight
        if self._nodes > 1000 and self._aliased > 100 and self._aliased / self._nodes > _aliases_allowed(self._nodes):
            raise YamlError("yaml: document contains excessive aliasing")
        return value

    def _sequence(self, depth: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := self._next(), SequenceEndEvent):
            items.append(self.value(event, depth + 1))
        return items

    def _mapping(self, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while not isinstance(event := self._next(), MappingEndEvent):
            if _is_merge(event):
                found = self.value(self._next(), depth + 1)
                for parent in found if isinstance(found, list) else [found]:
                    if not isinstance(parent, dict):
                        raise YamlError("yaml: map merge requires map or sequence of maps as the value")
                    merged = {**parent, **merged}
                continue
            key = _key(self.value(event, depth + 1))
            if key in result:
                self.duplicates.append(f'line {event.start_mark.line + 1}: key "{key}" already set in map')
            result[key] = self.value(self._next(), depth + 1)
        for key, value in merged.items():
            result.setdefault(key, value)
        return result


def _aliases_allowed(nodes: int) -> float:
    """The share of a document that may come from aliases: nearly all of a small one, a tenth of a large one."""
    low, high = 400_000, 4_000_000
    return 0.99 - 0.89 * (min(max(nodes, low), high) - low) / (high - low)


def _is_merge(event: Any) -> bool:
    if not isinstance(event, ScalarEvent):
        return False
    return event.tag == _MERGE or (event.value == "<<" and not event.tag and bool(event.implicit[0]))


def _key(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise YamlError(f"yaml: unsupported map key: {value!r}" if value is not None else "yaml: unsupported map key: null")


def _scalar(event: Any) -> Any:
    text: str = event.value
    is_plain = event.implicit[0] or event.tag not in (None, "!", _STRING)
    return plain(text) if is_plain and not event.style else text


def plain(text: str) -> Any:
    """What an unquoted scalar means: null, a truth value, a number or text."""
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() in _TRUE
    if _INT.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        number = float(text.replace("_", ""))
        return text if isinf(number) else number
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", "", 1))
    return text


def _integer(text: str) -> int | float | str:
    sign = -1 if text[0] == "-" else 1
    digits = text.lstrip("+-").replace("_", "").lower()
    base = {"0b": 2, "0o": 8, "0x": 16}.get(digits[:2], 8 if len(digits) > 1 and digits[0] == "0" else 10)
    if base != 10:
        digits = digits[2:] if digits[1] in "box" else digits[1:]
    if not digits:
        return text
    number = sign * int(digits, base) if len(digits) <= _DIGITS_MAX else None
    if number is not None and -(2**63) <= number < 2**64:
        return number
    # What fits no integer of Go's is a number with a fraction, or text.
    rounded = sign * float(digits) if base == 10 else inf
    return text if isinf(rounded) else rounded


class _Writer(_Dumper):  # type: ignore[misc]
    """Sorted keys, no aliases, text in double quotes where it would else mean something different."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: Any, text: str) -> Any:
    style = None
    if "\n" in text:
        style = "|"
    elif text and not isinstance(plain(text), str) or not text or _looks_like_time(text):
        style = '"'
    return dumper.represent_scalar(_STRING, text, style=style)


def _looks_like_time(text: str) -> bool:
    return bool(
        re.fullmatch(r"\d{4}-\d\d?-\d\d?(?:(?:[Tt]|\s+)\d\d?:\d\d:\d\d.*)?|[-+]?\d+(?::[0-5]?\d)+(?:\.\d*)?", text)
    )


_Writer.add_representer(str, _represent_text)


def dump(value: Any) -> str:
    """One document, as `kubectl -o yaml` prints it."""
    text: str = yaml.dump(value, Dumper=_Writer, default_flow_style=False, allow_unicode=True, width=2**31 - 1)
    return text.removesuffix("...\n")
