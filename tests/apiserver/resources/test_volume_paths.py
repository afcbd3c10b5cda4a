"""No file of a projected volume may be asked for outside of it."""

from __future__ import annotations

import pytest

from pybernetes.api.objects import from_builtins
from pybernetes.api.types.core_v1 import Volume
from pybernetes.apiserver.resources.validation.volumes import validate_volumes


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("../../etc/cron.d/x", "must not contain '..'"),
        ("/etc/cron.d/x", "must be a relative path"),
        ("..data", "must not start with '..'"),
    ],
)
def test_a_tokens_path_stays_within_the_volume(path: str, detail: str) -> None:
    token = {"path": path, "expirationSeconds": 3600}
    volume = from_builtins({"name": "v", "projected": {"sources": [{"serviceAccountToken": token}]}}, Volume)
    _, errors = validate_volumes([volume], "spec.volumes", in_pod=True)
    where = "spec.volumes[0].projected.path"
    assert [(error.field, error.body) for error in errors] == [(where, f'Invalid value: "{path}": {detail}')]
