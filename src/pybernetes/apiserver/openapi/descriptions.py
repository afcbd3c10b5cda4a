"""What fields are for, in upstream's words, as `kubectl explain` shows it.

The words come from the docstrings of the package lightkube-models, whose sources are read as text at the first question
and never imported. Without the package there are no descriptions. Called by `definitions`.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

_log = logging.getLogger(__name__)
_CLASS = re.compile(r'^class (\w+)\([^\n]*\):\n    r?"""(.*?)"""', re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^      \* \*\*(\w+)\*\* ``.*?`` - ", re.MULTILINE)
_PARAMETERS = "**parameters**"
_FILES = {"util.intstr": "util_intstr", "api.resource": "resource", "pkg.runtime": "runtime", "pkg.version": "version"}


@dataclass(frozen=True)
class Description:
    """What a type is, and what its fields are, by wire name."""

    text: str = ""
    fields: dict[str, str] = field(default_factory=dict)


NOTHING = Description()


def describe(definition: str) -> Description:
    """The description of a definition such as `io.k8s.api.core.v1.Pod`."""
    package, _, name = definition.rpartition(".")
    group, _, version = package.rpartition(".")
    file = _FILES.get(f"{group.rpartition('.')[2]}.{version}") or f"{group.rpartition('.')[2]}_{version}"
    return _file(file).get(name, NOTHING)


def field_description(module: str, type_: str, field_: str) -> str:
    """What one field is for; `module` is such as `core_v1`."""
    return _file(module).get(type_, NOTHING).fields.get(field_, "")


@cache
def _file(name: str) -> dict[str, Description]:
    try:
        text = (resources.files("lightkube.models") / f"{name}.py").read_text()
    except (ModuleNotFoundError, FileNotFoundError):
        _log.info("no descriptions of %s: lightkube-models does not have them", name)
        return {}
    return {match[1]: _description(match[2]) for match in _CLASS.finditer(text)}


def _description(docstring: str) -> Description:
    head, _, tail = docstring.partition(_PARAMETERS)
    pieces = _FIELD.split(tail)
    # The names and the texts alternate, after what stands before the first name.
    return Description(
        _joined(head), {name: _joined(text) for name, text in zip(pieces[1::2], pieces[2::2], strict=True)}
    )


def _joined(text: str) -> str:
    """Wrapped lines as one; an empty line stays the end of a paragraph."""
    paragraphs = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
