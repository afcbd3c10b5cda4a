"""YAML in the dialect of Kubernetes: read as Go's YAML reads it, written as sigs.k8s.io/yaml writes it.

Flow: manifests go in, plain JSON values come out (never dates, never non-text keys), and back. The API server, kubectl
and every configuration file come here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml
from yaml.nodes import Node, ScalarNode, SequenceNode
from yaml.resolver import Resolver
from yaml.scanner import ScannerError

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_MERGE = "tag:yaml.org,2002:merge"
_STRING = "tag:yaml.org,2002:str"
_RESOLVER: Any = Resolver()
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
    loader = _Loader(text)
    try:
        while loader.check_node():
            yield _Construction().value(loader.get_node())
    except yaml.YAMLError as error:
        raise YamlError(_message(error)) from None
    finally:
        loader.dispose()


def load_reporting(text: str | bytes) -> tuple[Any, list[str]]:
    """The first document's value and Go's lines about keys that occur twice."""
    construction = _Construction()
    loader = _Loader(text)
    try:
        if not loader.check_node():
            return None, []
        return construction.value(loader.get_node()), construction.duplicates
    except yaml.YAMLError as error:
        raise YamlError(_message(error)) from None
    except RecursionError:
        raise YamlError("yaml: exceeded max depth") from None
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
    """Turns nodes into plain values, with Go's idea of what a plain scalar means."""

    def __init__(self) -> None:
        self.duplicates: list[str] = []
        self.built: dict[int, Any] = {}

    def value(self, node: Node) -> Any:
        if isinstance(node, ScalarNode):
            return _scalar(node)
        # An alias is the same node again; building it once keeps "billion laughs" small in memory.
        if id(node) in self.built:
            return self.built[id(node)]
        if isinstance(node, SequenceNode):
            items: list[Any] = []
            self.built[id(node)] = items
            items.extend(self.value(item) for item in node.value)
            return items
        return self.mapping(node)

    def mapping(self, node: Node) -> dict[str, Any]:
        result: dict[str, Any] = {}
        self.built[id(node)] = result
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                parents = value_node.value if isinstance(value_node, SequenceNode) else [value_node]
                for parent in parents:
                    found = self.value(parent)
                    if not isinstance(found, dict):
                        raise YamlError("yaml: map merge requires map or sequence of maps as the value")
                    merged = {**found, **merged}
                continue
            key = _key(self.value(key_node))
            if key in result:
                line = key_node.start_mark.line + 1
                self.duplicates.append(f'line {line}: key "{key}" already set in map')
            result[key] = self.value(value_node)
        for key, value in merged.items():
            result.setdefault(key, value)
        return result


def _key(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise YamlError(f"yaml: unsupported map key: {value!r}" if value is not None else "yaml: unsupported map key: null")


def _scalar(node: ScalarNode) -> Any:
    text: str = node.value
    if node.style:
        return text
    # A plain scalar carries the tag of PyYAML's own resolver unless the document named one.
    if node.tag == _STRING and _RESOLVER.resolve(ScalarNode, text, (True, False)) != _STRING:
        return text
    return plain(text)


def plain(text: str) -> Any:
    """What an unquoted scalar means: null, a truth value, a number or text."""
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() in _TRUE
    if _INT.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", "", 1))
    return text


def _integer(text: str) -> int | str:
    sign = -1 if text[0] == "-" else 1
    digits = text.lstrip("+-").replace("_", "").lower()
    base = {"0b": 2, "0o": 8, "0x": 16}.get(digits[:2], 8 if len(digits) > 1 and digits[0] == "0" else 10)
    if base != 10:
        digits = digits[2:] if digits[1] in "box" else digits[1:]
    return sign * int(digits, base) if digits else text


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
