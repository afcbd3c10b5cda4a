"""`describe` of ConfigMaps, Secrets, ServiceAccounts and Namespaces."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from pybernetes.kubectl.describe.writing import Writing, write_annotations, write_map


def _write_head(writing: Writing, obj: Mapping[str, Any], namespaced: bool = True) -> None:
    metadata = obj["metadata"]
    writing.pair("Name", metadata.get("name", ""))
    if namespaced:
        writing.pair("Namespace", metadata.get("namespace", ""))
    write_map(writing, "Labels", metadata.get("labels") or {})
    write_annotations(writing, metadata.get("annotations") or {})


def describe_config_map(writing: Writing, obj: Mapping[str, Any]) -> None:
    """All but the events."""
    _write_head(writing, obj)
    writing.line()
    writing.line("Data")
    writing.line("====")
    data = obj.get("data") or {}
    for key in sorted(data):
        writing.line(f"{key}:")
        writing.line("----")
        writing.line(data[key])
        writing.line()
    writing.line()
    writing.line("BinaryData")
    writing.line("====")
    binary = obj.get("binaryData") or {}
    for key in sorted(binary):
        writing.line(f"{key}: {len(base64.b64decode(binary[key]))} bytes")
    writing.line()


def describe_secret(writing: Writing, obj: Mapping[str, Any]) -> None:
    """Everything but the secrets themselves."""
    _write_head(writing, obj)
    writing.line()
    writing.line(f"Type:  {obj.get('type', '')}")
    writing.line()
    writing.line("Data")
    writing.line("====")
    data = obj.get("data") or {}
    for key in sorted(data):
        writing.pair(key, f"{len(base64.b64decode(data[key] or ''))} bytes")


def describe_service_account(writing: Writing, obj: Mapping[str, Any]) -> None:
    """All but the events."""
    _write_head(writing, obj)
    for title, field in (("Image pull secrets", "imagePullSecrets"), ("Mountable secrets", "secrets")):
        names = [item.get("name", "") for item in obj.get(field) or ()] or ["<none>"]
        writing.pair(title, names[0])
        for name in names[1:]:
            writing.line(f"\t{name}")
    writing.pair("Tokens", "<none>")


def describe_namespace(
    writing: Writing, obj: Mapping[str, Any], quotas: list[dict[str, Any]], ranges: list[dict[str, Any]]
) -> None:
    """The whole description: a namespace shows no events."""
    _write_head(writing, obj, namespaced=False)
    writing.pair("Status", (obj.get("status") or {}).get("phase", ""))
    writing.line()
    if not quotas:
        writing.line("No resource quota.")
    else:
        writing.line("Resource Quotas")
    for quota in quotas:
        _write_quota(writing, quota)
    writing.line()
    writing.line("No LimitRange resource." if not ranges else "Resource Limits")
    if ranges:
        writing.line(" Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio")
        writing.line(" ----\t--------\t---\t---\t---------------\t-------------\t-----------------------")
    for item in ranges:
        for limit in item["spec"].get("limits") or ():
            _write_limit(writing, limit)


def _write_quota(writing: Writing, quota: Mapping[str, Any]) -> None:
    status = quota.get("status") or {}
    hard, used = status.get("hard") or {}, status.get("used") or {}
    writing.pair("Name", quota["metadata"]["name"], 1)
    writing.line("Resource\tUsed\tHard", 1)
    writing.line("--------\t---\t---", 1)
    for name in sorted(hard):
        writing.line(f"{name}\t{used.get(name, '0')}\t{hard[name]}", 1)


def _write_limit(writing: Writing, limit: Mapping[str, Any]) -> None:
    columns = ("min", "max", "defaultRequest", "default", "maxLimitRequestRatio")
    names = {name for column in columns for name in limit.get(column) or {}}
    for name in sorted(names):
        cells = [str((limit.get(column) or {}).get(name, "-")) for column in columns]
        writing.line("\t".join([f" {limit['type']}", name, *cells]))
