"""The set-up of `patch/`: many managers of one object."""

from __future__ import annotations

from tests.oracle.ground import Ground
from tests.oracle.setup.preparing import MERGE, before


@before("patch/managed-fields", 10)
async def _many_managers(ground: Ground) -> None:
    path = "/apis/apps/v1/namespaces/patch/deployments/mf?fieldManager=m"
    for number in range(12):
        body = {"metadata": {"annotations": {f"k{number}": "v"}}}
        await ground.send("PATCH", f"{path}{number}", body, content_type="application/merge-patch+json")


@before("patch/apply-lists", 32)
async def _pull_secret(ground: Ground) -> None:
    """A former scenario had left it with the account that pods run as."""
    path = "/api/v1/namespaces/patch/serviceaccounts/default"
    await ground.send("PATCH", path, {"imagePullSecrets": [{"name": "z"}]}, content_type=MERGE)
