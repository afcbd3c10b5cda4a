"""`describe` of roles, bindings and priority classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pybernetes.kubectl.describe.writing import Writing, write_annotations, write_map

Object = Mapping[str, Any]


def _write_head(writing: Writing, obj: Object) -> None:
    metadata = obj["metadata"]
    writing.pair("Name", metadata["name"])
    write_map(writing, "Labels", metadata.get("labels") or {})
    write_annotations(writing, metadata.get("annotations") or {})


def describe_role(writing: Writing, obj: Object) -> None:
    """The whole description: what the role allows, a resource a line."""
    _write_head(writing, obj)
    writing.line("PolicyRule:")
    writing.line("Resources\tNon-Resource URLs\tResource Names\tVerbs", 1)
    writing.line("---------\t-----------------\t--------------\t-----", 1)
    for row in rule_rows(obj.get("rules") or ()):
        writing.line("\t".join(row), 1)


def rule_rows(rules: Sequence[Object]) -> list[tuple[str, str, str, str]]:
    """(resource, URLs, names, verbs), one for each resource of each rule; verbs of equal rows are put together."""
    verbs: dict[tuple[str, str, str, str], list[str]] = {}
    for rule in rules:
        for key in _subjects(rule):
            known = verbs.setdefault(key, [])
            known += [verb for verb in rule.get("verbs") or () if verb not in known]
    # Upstream sorts by the rules' text, in which a bracket follows each word.
    ordered = sorted(verbs, key=lambda key: (_bracketed(verbs[key]), *(f"{part}]" for part in key)))
    return [(*_cells(key), _bracketed(verbs[key])) for key in ordered]


def _subjects(rule: Object) -> list[tuple[str, str, str, str]]:
    """(group, resource, name, URL) of everything that a rule speaks of."""
    found = [
        (group, resource, name, "")
        for group in rule.get("apiGroups") or ()
        for resource in rule.get("resources") or ()
        for name in rule.get("resourceNames") or ("",)
    ]
    return found + [("", "", "", url) for url in rule.get("nonResourceURLs") or ()]


def _cells(key: tuple[str, str, str, str]) -> tuple[str, str, str]:
    group, resource, name, url = key
    plural, slash, subresource = resource.partition("/")
    shown = f"{plural}.{group}{slash}{subresource}" if group else resource
    return shown, _bracketed([url] if url else []), _bracketed([name] if name else [])


def _bracketed(words: Sequence[str]) -> str:
    return f"[{' '.join(words)}]"


def describe_binding(writing: Writing, obj: Object) -> None:
    """The whole description: the role and who has it."""
    _write_head(writing, obj)
    role = obj.get("roleRef") or {}
    writing.line("Role:")
    writing.pair("Kind", role.get("kind", ""), 1)
    writing.pair("Name", role.get("name", ""), 1)
    writing.line("Subjects:")
    writing.line("Kind\tName\tNamespace", 1)
    writing.line("----\t----\t---------", 1)
    for subject in obj.get("subjects") or ():
        writing.line(f"{subject.get('kind', '')}\t{subject.get('name', '')}\t{subject.get('namespace', '')}", 1)


def describe_priority_class(writing: Writing, obj: Object) -> None:
    """All but the events."""
    writing.pair("Name", obj["metadata"]["name"])
    writing.pair("Value", obj.get("value", 0))
    writing.pair("GlobalDefault", "true" if obj.get("globalDefault") else "false")
    writing.pair("PreemptionPolicy", obj.get("preemptionPolicy", ""))
    writing.pair("Description", obj.get("description", ""))
    write_annotations(writing, obj["metadata"].get("annotations") or {})
