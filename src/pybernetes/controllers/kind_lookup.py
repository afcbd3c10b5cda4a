"""How an object named by apiVersion and kind is reached: by the rows of known kinds, else by asking the API server.

The garbage collector looks up owners with it, the autoscaler its targets.
"""

from __future__ import annotations

import msgspec

from pybernetes.api.kind import Kind
from pybernetes.api.kinds import find_kind
from pybernetes.api.partial import partial_kind
from pybernetes.api.status import StatusError
from pybernetes.api.types.meta_v1 import APIResourceList
from pybernetes.client import Client


async def look_up(client: Client, api_version: str, name: str) -> Kind | None:
    """The row of a kind, such as ("apps/v1", "Deployment"); None when the server does not serve it."""
    known = find_kind(api_version, name)
    if known is not None:
        return known
    group, _, version = api_version.rpartition("/")
    path = f"/apis/{group}/{version}" if group else f"/api/{version}"
    try:
        answer = await client.raw("GET", path)
    except StatusError as error:
        if error.code == 404:
            return None
        raise
    for item in msgspec.json.decode(answer.body, type=APIResourceList).resources:
        if item.kind == name and "/" not in item.name:
            return partial_kind(group, version, item.name, item.kind, namespaced=item.namespaced)
    return None
