"""JSONPath templates of `-o jsonpath`, `custom-columns` and `--sort-by`, such as `{.items[*].metadata.name}`.

`parse` makes a template of a text, `Template.print` fills it from a JSON value. `CommandError` for what does not parse.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pybernetes.api import json_path
from pybernetes.api.json_path import Path
from pybernetes.kubectl.failures import error


@dataclass(frozen=True)
class Text:
    """Printed as it is."""

    text: str


@dataclass(frozen=True)
class Range:
    """Its body is printed once for each value."""

    path: Path
    body: Template


@dataclass(frozen=True)
class Template:
    """A parsed text."""

    parts: tuple[Text | Path | Range, ...]

    def print(self, value: Any) -> str:
        """The template filled from a value."""
        return "".join(self._printed(part, value) for part in self.parts)

    def _printed(self, part: Text | Path | Range, value: Any) -> str:
        if isinstance(part, Text):
            return part.text
        if isinstance(part, Path):
            return " ".join(shown(item) for item in part.values(value))
        return "".join(part.body.print(item) for item in part.path.values(value))


def shown(value: Any) -> str:
    """A value as JSONPath prints it."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def parse(text: str) -> Template:
    """A template; `CommandError` when it does not parse."""
    parser = _Parser(text)
    parts = parser.parts(nested=False)
    return Template(tuple(parts))


def parse_relaxed(text: str) -> Path:
    """The path of `.a.b`, `a.b` or `{.a.b}`."""
    bare = text.strip().removeprefix("{").removesuffix("}")
    return _path(bare if bare.startswith((".", "[", "$")) else f".{bare}", text)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def parts(self, nested: bool) -> list[Text | Path | Range]:
        found: list[Text | Path | Range] = []
        while self.position < len(self.text):
            if self.text[self.position] != "{":
                end = self.text.find("{", self.position)
                end = end if end >= 0 else len(self.text)
                found.append(Text(self.text[self.position : end]))
                self.position = end
                continue
            action = self.action()
            if action == "end":
                if not nested:
                    raise error(f"error parsing jsonpath {self.text}, not in range, nothing to end")
                return found
            found.append(self.part(action))
        if nested:
            raise error(f"error parsing jsonpath {self.text}, unexpected eof, unclosed range")
        return found

    def part(self, action: str) -> Text | Path | Range:
        if action.startswith("range ") or action == "range":
            path = _path(action.removeprefix("range").strip(), self.text)
            return Range(path, Template(tuple(self.parts(nested=True))))
        if json_path.quoted().fullmatch(action):
            return Text(json_path.unquoted(action))
        return _path(action, self.text)

    def action(self) -> str:
        """What stands between braces; quotes may hold braces."""
        start = self.position = self.position + 1
        while self.position < len(self.text):
            letter = self.text[self.position]
            quoted = json_path.quoted().match(self.text, self.position) if letter in "'\"" else None
            if letter == "}":
                self.position += 1
                return self.text[start : self.position - 1].strip()
            self.position = quoted.end() if quoted else self.position + 1
        raise error(f"error parsing jsonpath {self.text}, unclosed action")


def _path(text: str, whole: str) -> Path:
    try:
        return json_path.parse(text)
    except json_path.PathError as problem:
        raise error(f"error parsing jsonpath {whole}, {problem}") from None
