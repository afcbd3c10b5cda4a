"""Whether an applied document fits its type, with upstream's words for what does not. Pure."""

from __future__ import annotations

from typing import Any

from pybernetes.apiserver.field_management.comparison import element_of
from pybernetes.apiserver.field_management.field_type import KEYED, LIST, MAP, SCALAR, SET, STRUCT, FieldType
from pybernetes.apiserver.field_management.fieldset import shown


def problems(type_: FieldType, value: Any, path: str = "") -> list[str]:
    """Texts such as `.data.x: expected string, got &value.valueUnstructured{Value:1}`."""
    if value is None:
        return []
    if type_.form == SCALAR:
        what = _scalar_problem(type_.scalar, value)
        return [f"{path}: {what}"] if what else []
    if type_.form in (STRUCT, MAP):
        if not isinstance(value, dict):
            return [f"{path}: expected map, got &{{{_go(value)}}}"]
        return _map_problems(type_, value, path)
    if type_.form in (KEYED, SET, LIST):
        if not isinstance(value, list):
            return [f"{path}: expected list, got &{{{_go(value)}}}"]
        return _list_problems(type_, value, path)
    return []


def summary(texts: list[str]) -> str:
    """Several problems as one text."""
    return texts[0] if len(texts) == 1 else "\n".join(["errors:", *(f"  {text}" for text in texts)])


def _map_problems(type_: FieldType, value: dict[str, Any], path: str) -> list[str]:
    """The problems up to the first field that the type does not have: upstream looks no further."""
    result: list[str] = []
    for name, held in value.items():
        found = type_.field(name)
        if found is None:
            return [*result, f"{path}.{name}: field not declared in schema"]
        result += problems(found[1], held, f"{path}.{name}")
    return result


def _list_problems(type_: FieldType, value: list[Any], path: str) -> list[str]:
    assert type_.item is not None
    result: list[str] = []
    seen: set[str] = set()
    for index, item in enumerate(value):
        element = f"i:{index}"
        if type_.form != LIST:
            try:
                element = element_of(type_, item)
            except ValueError as error:
                return [*result, f"{path}: element {index}: {error}"]
            if element in seen:
                result.append(f"{path}: duplicate entries for key {shown(element)}")
            seen.add(element)
        result += problems(type_.item, item, path + shown(element))
    return result


def _scalar_problem(kind: str, value: Any) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "numeric" and not is_number:
        return f"expected numeric (int or float), got {_go_type(value)}"
    if kind == "string" and not isinstance(value, str):
        return f"expected string, got &value.valueUnstructured{{Value:{_go(value, quoted=True)}}}"
    if kind == "boolean" and not isinstance(value, bool):
        return f"expected boolean, got &{{{_go(value)}}}"
    if kind == "untyped" and isinstance(value, dict | list):
        return f"expected any scalar, got &{{{_go(value)}}}"
    return ""


def _go_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    return "map[string]interface {}" if isinstance(value, dict) else "[]interface {}"


def _go(value: Any, *, quoted: bool = False) -> str:
    """A value as Go prints it with %v, or with %#v."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "interface {}(nil)" if quoted else "<nil>"
    if isinstance(value, dict):
        pairs = [f"{_go(key, quoted=quoted)}:{_go(held, quoted=quoted)}" for key, held in sorted(value.items())]
        return "map[string]interface {}{" + ", ".join(pairs) + "}" if quoted else f"map[{' '.join(pairs)}]"
    if isinstance(value, list):
        items = [_go(item, quoted=quoted) for item in value]
        return "[]interface {}{" + ", ".join(items) + "}" if quoted else f"[{' '.join(items)}]"
    if isinstance(value, str) and quoted:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)
