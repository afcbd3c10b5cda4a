"""Laying endpoints out in EndpointSlices: at most 100 each, moving as few as possible, so that watchers see small
changes.

Pure: wanted endpoints and the existing slices in, a `SlicePlan` out. The slice and the mirroring controller call
`plan`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pybernetes.api.objects import ApiObject, copy
from pybernetes.api.types.discovery_v1 import Endpoint, EndpointPort, EndpointSlice
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.controllers.ownership import owner_reference

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
PER_SLICE = 100
Identity = tuple[object, ...]


@dataclass(frozen=True)
class Group:
    """Endpoints that share address type and ports."""

    address_type: str
    ports: tuple[EndpointPort, ...]
    endpoints: tuple[Endpoint, ...]

    @property
    def identity(self) -> Identity:
        return _identity(self.address_type, self.ports)


@dataclass
class SlicePlan:
    """What to write."""

    create: list[EndpointSlice] = field(default_factory=list)
    update: list[EndpointSlice] = field(default_factory=list)
    delete: list[EndpointSlice] = field(default_factory=list)


def _identity(address_type: str, ports: Sequence[EndpointPort]) -> Identity:
    listed = [(port.name or "", port.protocol or "", port.port or 0, port.app_protocol or "") for port in ports]
    return (address_type, *sorted(listed))


def plan(
    owner: ApiObject, labels: Mapping[str, str], groups: Sequence[Group], existing: Sequence[EndpointSlice]
) -> SlicePlan:
    """`groups` have distinct identities and `labels` are those of every slice; slices of no group are deleted."""
    result = SlicePlan()
    wanted = {group.identity: group for group in groups}
    mine: dict[Identity, list[EndpointSlice]] = {identity: [] for identity in wanted}
    for item in sorted(existing, key=lambda item: item.metadata.name or ""):
        identity = _identity(item.address_type, item.ports)
        if identity in mine:
            mine[identity].append(item)
        else:
            result.delete.append(item)
    for identity, group in wanted.items():
        _plan_group(owner, labels, group, mine[identity], result)
    _reuse(result)
    return result


def _key(endpoint: Endpoint) -> Identity:
    uid = endpoint.target_ref.uid if endpoint.target_ref is not None else None
    return (tuple(endpoint.addresses), uid)


def _plan_group(
    owner: ApiObject,
    labels: Mapping[str, str],
    group: Group,
    slices: Sequence[EndpointSlice],
    result: SlicePlan,
) -> None:
    missing = {_key(endpoint): endpoint for endpoint in group.endpoints}
    kept = [_keep(item, missing) for item in slices]
    _fill(slices, kept, missing)
    remaining = [(item, endpoints) for item, endpoints in zip(slices, kept, strict=True) if endpoints]
    empty = [item for item, endpoints in zip(slices, kept, strict=True) if not endpoints]
    if empty and not remaining and not missing:
        # One slice stays, empty, to say that the service has no endpoints.
        remaining.append((empty.pop(0), []))
    result.delete += empty
    for item, endpoints in remaining:
        if endpoints != item.endpoints or dict(labels) != item.metadata.labels:
            changed = copy(item)
            changed.endpoints = endpoints
            changed.metadata.labels = dict(labels)
            result.update.append(changed)
    left = list(missing.values())
    chunks = [left[start : start + PER_SLICE] for start in range(0, len(left), PER_SLICE)]
    if not chunks and not remaining:
        chunks = [[]]
    result.create += [_new(owner, labels, group, chunk) for chunk in chunks]


def _keep(item: EndpointSlice, missing: dict[Identity, Endpoint]) -> list[Endpoint]:
    """The slice's endpoints that are still wanted, as they are wanted now."""
    found = (missing.pop(_key(endpoint), None) for endpoint in item.endpoints)
    return [endpoint for endpoint in found if endpoint is not None]


def _fill(slices: Sequence[EndpointSlice], kept: Sequence[list[Endpoint]], missing: dict[Identity, Endpoint]) -> None:
    """Puts new endpoints where there is room, first into slices that change anyway, then into the fullest."""
    order = sorted(
        range(len(slices)), key=lambda index: (kept[index] == slices[index].endpoints, -len(kept[index]), index)
    )
    for index in order:
        while missing and len(kept[index]) < PER_SLICE:
            kept[index].append(missing.pop(next(iter(missing))))


def _new(owner: ApiObject, labels: Mapping[str, str], group: Group, endpoints: list[Endpoint]) -> EndpointSlice:
    return EndpointSlice(
        metadata=ObjectMeta(
            generate_name=f"{owner.metadata.name}-",
            namespace=owner.metadata.namespace,
            labels=dict(labels),
            owner_references=[owner_reference(owner)],
        ),
        address_type=group.address_type,
        ports=list(group.ports),
        endpoints=endpoints,
    )


def _reuse(result: SlicePlan) -> None:
    """Turns a deletion and a creation into one update, so that nobody ever sees the service without its endpoints."""
    for new in list(result.create):
        old = next((item for item in result.delete if item.address_type == new.address_type), None)
        if old is None:
            continue
        changed = copy(old)
        changed.ports, changed.endpoints = new.ports, new.endpoints
        changed.metadata.labels = new.metadata.labels
        result.delete.remove(old)
        result.create.remove(new)
        result.update.append(changed)
