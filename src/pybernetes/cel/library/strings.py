"""The string extension of CEL. Pure. Indices count characters."""

from __future__ import annotations

from pybernetes.cel.declarations import Library
from pybernetes.cel.effort import strain
from pybernetes.cel.values import EvaluationError

LIBRARY = Library()
_SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f"
    "\u205f\u3000"
)
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER = {code + 32: code for code in _LOWER}
_ESCAPES = {7: "\\a", 8: "\\b", 12: "\\f", 10: "\\n", 13: "\\r", 9: "\\t", 11: "\\v", 92: "\\\\", 34: '\\"'}


@LIBRARY.function("string.charAt(int) -> string")
def char_at(text: str, index: int) -> str:
    if not 0 <= index <= len(text):
        raise EvaluationError(f"index out of range: {index}")
    return text[index : index + 1]


@LIBRARY.function("string.indexOf(string) -> int")
def index_of(text: str, part: str) -> int:
    return text.find(part)


@LIBRARY.function("string.indexOf(string, int) -> int")
def index_of_from(text: str, part: str, start: int) -> int:
    if start < 0 or start > len(text):
        raise EvaluationError(f"index out of range: {start}")
    return text.find(part, start)


@LIBRARY.function("string.lastIndexOf(string) -> int")
def last_index_of(text: str, part: str) -> int:
    return text.rfind(part)


@LIBRARY.function("string.lastIndexOf(string, int) -> int")
def last_index_of_from(text: str, part: str, start: int) -> int:
    if start < 0 or start > len(text):
        raise EvaluationError(f"index out of range: {start}")
    return text.rfind(part, 0, start + len(part))


@LIBRARY.function("list(string).join() -> string")
def join(items: list[str]) -> str:
    return join_with(items, "")


@LIBRARY.function("list(string).join(string) -> string")
def join_with(items: list[str], separator: str) -> str:
    strain((sum(map(len, items)) + len(items) * len(separator)) // 10)
    return separator.join(items)


@LIBRARY.function("string.lowerAscii() -> string")
def lower_ascii(text: str) -> str:
    return text.translate(_LOWER)


@LIBRARY.function("string.upperAscii() -> string")
def upper_ascii(text: str) -> str:
    return text.translate(_UPPER)


@LIBRARY.function("string.replace(string, string) -> string")
def replace(text: str, old: str, new: str) -> str:
    return replace_some(text, old, new, -1)


@LIBRARY.function("string.replace(string, string, int) -> string")
def replace_some(text: str, old: str, new: str, most: int) -> str:
    if len(new) > len(old):
        count = text.count(old)
        strain((count if most < 0 else min(count, most)) * len(new) // 10)
    return text.replace(old, new, most)


@LIBRARY.function("string.split(string) -> list(string)")
def split(text: str, separator: str) -> list[str]:
    return split_some(text, separator, -1)


@LIBRARY.function("string.split(string, int) -> list(string)")
def split_some(text: str, separator: str, most: int) -> list[str]:
    if most == 0:
        return []
    if separator:
        return text.split(separator, most - 1 if most > 0 else -1)
    if most < 0 or most >= len(text):
        return list(text)
    return [*text[: most - 1], text[most - 1 :]]


@LIBRARY.function("string.substring(int) -> string")
def substring(text: str, start: int) -> str:
    if not 0 <= start <= len(text):
        raise EvaluationError(f"index out of range: {start}")
    return text[start:]


@LIBRARY.function("string.substring(int, int) -> string")
def substring_to(text: str, start: int, end: int) -> str:
    if start > end:
        raise EvaluationError(f"invalid substring range. start: {start}, end: {end}")
    if not 0 <= start <= len(text):
        raise EvaluationError(f"index out of range: {start}")
    if not 0 <= end <= len(text):
        raise EvaluationError(f"index out of range: {end}")
    return text[start:end]


@LIBRARY.function("string.trim() -> string")
def trim(text: str) -> str:
    return text.strip(_SPACES)


@LIBRARY.function("strings.quote(string) -> string")
def quote(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'
