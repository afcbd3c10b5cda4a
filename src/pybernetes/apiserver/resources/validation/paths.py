"""Rules for paths of files: those that stay below where they start, and those that do not climb."""

from __future__ import annotations

from pybernetes.api.status import FieldError, invalid


def no_backsteps(value: str, path: str) -> list[FieldError]:
    """No `..` between slashes."""
    return [invalid(path, value, "must not contain '..'")] if ".." in value.split("/") else []


def local_path(value: str, path: str) -> list[FieldError]:
    """A path that stays below where it starts."""
    errors = [invalid(path, value, "must be a relative path")] if value.startswith("/") else []
    return errors + no_backsteps(value, path)


def unreserved_path(value: str, path: str) -> list[FieldError]:
    """A local path whose first name the kubelet does not keep for itself (`..data`)."""
    errors = local_path(value, path)
    if value.startswith("..") and not value.startswith("../"):
        errors.append(invalid(path, value, "must not start with '..'"))
    return errors
