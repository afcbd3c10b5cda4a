"""The text of an expression, and what is wrong with it in CEL's own form: place, message, the line, a caret.

Offsets (in characters) and messages go in; a `CompileError` with the text that Go's CEL prints comes out. Called by the
lexer, the parser and the checker.
"""

from __future__ import annotations

from bisect import bisect_right

_MOST_SHOWN = 100


class CompileError(ValueError):
    """An expression that is none; the text is CEL's, with a line and a caret for each thing wrong."""


class InstantiationError(CompileError):
    """An expression that is well formed and cannot be run all the same; the text says the whole of it."""


class Source:
    """An expression's text; `place` finds line and column."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0] + [index + 1 for index, character in enumerate(text) if character == "\n"]

    def place(self, offset: int) -> tuple[int, int]:
        """The line from 1, and the column from 0."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1]

    def line(self, number: int) -> str:
        end = self._starts[number] - 1 if number < len(self._starts) else len(self.text)
        return self.text[self._starts[number - 1] : end]


class Problems:
    """What was found wrong with a source, in the order in which it was found."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._found: list[tuple[int, str]] = []

    def add(self, offset: int, message: str) -> None:
        if (offset, message) not in self._found:
            self._found.append((offset, message))

    def __len__(self) -> int:
        return len(self._found)

    def check(self) -> None:
        """CompileError when anything is wrong, sorted by place."""
        if self._found:
            found = sorted(self._found, key=lambda item: self.source.place(item[0]))
            raise CompileError("\n".join(self._shown(*item) for item in found[:_MOST_SHOWN]))

    def _shown(self, offset: int, message: str) -> str:
        line, column = self.source.place(offset)
        text = self.source.line(line).replace("\t", " ")
        marks = "".join("．" if ord(character) > 127 else "." for character in text[:column])
        caret = "＾" if column < len(text) and ord(text[column]) > 127 else "^"
        return f"ERROR: <input>:{line}:{column + 1}: {message}\n | {text}\n | {marks}{caret}"
