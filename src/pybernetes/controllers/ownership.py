"""Who owns whom: finding an object's controller, and deciding which orphans to adopt and which children to let go.

Pure decisions (`decide_claims`), and `claim` which carries one out through the client. Called by workload controllers.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from pybernetes.api.objects import ApiObject, Object
from pybernetes.api.status import StatusError
from pybernetes.api.types.meta_v1 import ObjectMeta, OwnerReference
from pybernetes.client.client import Client

log = logging.getLogger(__name__)
Matches = Callable[[dict[str, str]], bool]


def controller_of(obj: ApiObject) -> OwnerReference | None:
    """The owner that controls the object; at most one may."""
    return next((owner for owner in obj.metadata.owner_references if owner.controller), None)


def is_controlled_by(obj: ApiObject, owner: ApiObject) -> bool:
    found = controller_of(obj)
    return found is not None and found.uid == owner.metadata.uid


def owner_reference(owner: ApiObject) -> OwnerReference:
    """The reference that a controlled child carries."""
    return OwnerReference(
        api_version=owner.api_version,
        kind=owner.kind,
        name=owner.metadata.name or "",
        uid=owner.metadata.uid or "",
        controller=True,
        block_owner_deletion=True,
    )


@dataclass(frozen=True)
class Claims(Generic[Object]):
    """What is ours already, what could become ours, and what no longer matches."""

    owned: list[Object]
    adopt: list[Object]
    release: list[Object]


def decide_claims(owner: ApiObject, matches: Matches, children: Iterable[Object]) -> Claims[Object]:
    """Sorts children: owned and matching; orphaned and matching; owned but not matching. The rest is not ours."""
    owned: list[Object] = []
    adopt: list[Object] = []
    release: list[Object] = []
    dying = owner.metadata.deletion_timestamp is not None
    for child in children:
        found = controller_of(child)
        if found is not None:
            if found.uid != owner.metadata.uid:
                continue
            if matches(child.metadata.labels):
                owned.append(child)
            elif not dying:
                release.append(child)
        elif not dying and child.metadata.deletion_timestamp is None and matches(child.metadata.labels):
            adopt.append(child)
    return Claims(owned, adopt, release)


def _references_patch(metadata: ObjectMeta, references: Sequence[OwnerReference]) -> dict[str, Any]:
    """Replaces the list as a whole; the resourceVersion makes a concurrent change a conflict instead of a loss."""
    return {
        "metadata": {
            "uid": metadata.uid,
            "resourceVersion": metadata.resource_version,
            "ownerReferences": [_plain(reference) for reference in references] or None,
        }
    }


def _plain(reference: OwnerReference) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "apiVersion": reference.api_version,
        "kind": reference.kind,
        "name": reference.name,
        "uid": reference.uid,
    }
    if reference.controller is not None:
        plain["controller"] = reference.controller
    if reference.block_owner_deletion is not None:
        plain["blockOwnerDeletion"] = reference.block_owner_deletion
    return plain


async def claim(
    client: Client, owner: ApiObject, claims: Claims[Object], still_alive: Callable[[], Awaitable[bool]]
) -> list[Object]:
    """Adopts and releases; returns what the owner controls afterwards. A child that is gone is no error."""
    owned = list(claims.owned)
    if claims.adopt and await still_alive():
        for child in claims.adopt:
            references = [*child.metadata.owner_references, owner_reference(owner)]
            adopted = await _patch_owners(client, child, references)
            if adopted is not None:
                owned.append(adopted)
    for child in claims.release:
        references = [item for item in child.metadata.owner_references if item.uid != owner.metadata.uid]
        await _patch_owners(client, child, references)
    return owned


async def _patch_owners(client: Client, child: Object, references: Sequence[OwnerReference]) -> Object | None:
    metadata = child.metadata
    patch = _references_patch(metadata, references)
    try:
        return await client.patch(type(child), metadata.name or "", metadata.namespace, patch)
    except StatusError as error:
        if error.code in (404, 422):
            log.debug("%s %s was not patched: %s", child.kind, metadata.name, error)
            return None
        raise


async def is_alive(client: Client, owner: ApiObject) -> bool:
    """Asks the server, not the cache: nobody may adopt for an owner that is being deleted or was replaced."""
    try:
        fresh = await client.get(type(owner), owner.metadata.name or "", owner.metadata.namespace)
    except StatusError as error:
        if error.code == 404:
            return False
        raise
    return fresh.metadata.uid == owner.metadata.uid and fresh.metadata.deletion_timestamp is None
