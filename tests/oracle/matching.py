"""Whether an answer is the recorded one: placeholders such as `<uid:1>` stand for values that differ between servers.

The first time a numbered placeholder is met it is bound to what our server said; from then on it must be that, and
requests that name it are sent with it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

# What each placeholder may stand for; all else in angle brackets is text.
_SHAPES = {
    "uid": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "rv": r"[0-9]+",
    "time": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z",
    "microtime": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z",
    "clusterIP": r"10\.96\.[0-9]{1,3}\.[0-9]{1,3}",
    "nodePort": r"3[0-9]{4}",
    "suffix": r"[0-9a-z]+",
    "age": r"(?:[0-9]+[smhdy])+|<unknown>",
    "podIP": r"[0-9.]+",
    "continue": r"[A-Za-z0-9_=-]+",
    "hash": r"[0-9A-Fa-f]+",
}
_FREE = (
    *("nanotime", "localtime", "quantity", "token", "certificate", "base64 certificate", "base64 token", "modulus"),
    *("kid", "server", "server-host", "client-addr", "scheduled minute", "unix time", "number", "certificate data"),
    *("token of admin", "token of alice"),
)
_NAMES = "|".join(re.escape(name) for name in sorted((*_SHAPES, *_FREE), key=len, reverse=True))
_PLACEHOLDER = re.compile(rf"<(?:{_NAMES})(?::\d+)?>")
# The recorded build adds a source to the token volume of every pod, which was taken out of the answers but for the
# numbers of the lines behind it.
_HUNK = re.compile(r"(?<=^@@ -)(\d+)(,\d+ \+)(\d+)(?=,\d+ @@$)", re.MULTILINE)
_POD_CHANGE, _SOURCE_LINES = "pod updates may not change fields", 18
_OMITTED = re.compile(r"<\d+ bytes (?:omitted|of binary)>")


@dataclass
class Bindings:
    """What the placeholders of one scenario stand for."""

    values: dict[str, str] = field(default_factory=dict)

    def fill(self, text: str) -> str:
        """A text to send, with what is known put in; an unnumbered placeholder is what it stood for last."""
        return _PLACEHOLDER.sub(lambda match: self.values.get(match.group(0)) or _invented(match.group(0)), text)

    def matches(self, wanted: str, found: str) -> bool:
        """Whether a text is the recorded one; binds the placeholders that are new."""
        if _POD_CHANGE in wanted:
            wanted = _HUNK.sub(_without_source, wanted)
        names = _PLACEHOLDER.findall(wanted)
        if not names:
            return wanted == found
        pattern, end = "", 0
        for number, match in enumerate(_PLACEHOLDER.finditer(wanted)):
            pattern += re.escape(wanted[end : match.start()]) + f"(?P<g{number}>{_shape(match.group(0))})"
            end = match.end()
        fitting = re.fullmatch(pattern + re.escape(wanted[end:]), found, re.DOTALL)
        if fitting is None:
            return False
        pairs = [(name, fitting.group(f"g{number}")) for number, name in enumerate(names)]
        if any(":" in name and self.values.get(name, value) != value for name, value in pairs):
            return False
        self.values.update(pairs)
        return True


def _without_source(hunk: re.Match[str]) -> str:
    return f"{int(hunk[1]) - _SOURCE_LINES}{hunk[2]}{int(hunk[3]) - _SOURCE_LINES}"


def _invented(placeholder: str) -> str:
    """A UID that no object has; anything else stays as it is."""
    name, _, number = placeholder.strip("<>").partition(":")
    return f"00000000-0000-4000-8000-{int(number):012}" if name == "uid" else placeholder


def _shape(placeholder: str) -> str:
    return _SHAPES.get(placeholder.strip("<>").partition(":")[0], ".+?")


def differences(wanted: Any, found: Any, bindings: Bindings, path: str = "") -> list[str]:
    """Where an answer is not the recorded one."""
    if isinstance(wanted, str) and _OMITTED.fullmatch(wanted):
        return []
    if isinstance(wanted, dict) and isinstance(found, dict):
        return _members(wanted, found, bindings, path)
    if isinstance(wanted, list) and isinstance(found, list):
        if len(wanted) != len(found):
            return [f"{path}: {len(wanted)} items recorded, {len(found)} found: {shortened(found)}"]
        pairs = enumerate(zip(wanted, found, strict=True))
        return [text for n, (a, b) in pairs for text in differences(a, b, bindings, f"{path}[{n}]")]
    if path.endswith(".description") and isinstance(found, str):
        # Descriptions are read from a package that breaks their lines elsewhere.
        wanted, found = " ".join(wanted.split()), " ".join(found.split())
    if isinstance(wanted, str) and not isinstance(found, dict | list):
        same = bindings.matches(wanted, found if isinstance(found, str) else json.dumps(found))
        return [] if same else [f"{path}: recorded {shortened(wanted)}, found {shortened(found)}"]
    same = wanted == found and isinstance(wanted, bool) == isinstance(found, bool)
    return [] if same else [f"{path}: recorded {shortened(wanted)}, found {shortened(found)}"]


def _members(wanted: dict[str, Any], found: dict[str, Any], bindings: Bindings, path: str) -> list[str]:
    result: list[str] = []
    wanted = {bindings.fill(key) if "<" in key else key: value for key, value in wanted.items()}
    for key in dict.fromkeys([*wanted, *found]):
        at = f"{path}.{key}"
        if key not in found:
            result.append(f"{at}: missing {shortened(wanted[key])}")
        elif key not in wanted:
            result.append(f"{at}: extra {shortened(found[key])}")
        else:
            result += differences(wanted[key], found[key], bindings, at)
    return result


def shortened(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 400 else text[:400] + "..."
