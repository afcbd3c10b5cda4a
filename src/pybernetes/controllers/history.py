"""The ControllerRevisions of DaemonSets and StatefulSets: which template is which revision, for roll-outs and
`rollout undo`.

`decide` is pure: a template and the known revisions in, what to create, renumber and delete out. `keep` carries it out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from pybernetes.api.objects import ApiObject, copy
from pybernetes.api.status import StatusError
from pybernetes.api.types.apps_v1 import ControllerRevision
from pybernetes.api.types.core_v1 import PodTemplateSpec
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.client import Client
from pybernetes.controllers.ownership import is_controlled_by, owner_reference
from pybernetes.controllers.template_hash import safe_encode


def data_of(template: PodTemplateSpec) -> dict[str, Any]:
    """The patch that makes an owner's template this one, its keys in the order of Go's: clients compare the bytes."""
    plain = {"spec": {"template": {**msgspec.to_builtins(template), "$patch": "replace"}}}
    ordered: dict[str, Any] = msgspec.to_builtins(plain, order="sorted")
    return ordered


def template_of(revision: ControllerRevision) -> PodTemplateSpec:
    """The template that a revision holds."""
    plain = dict(revision.data["spec"]["template"])
    plain.pop("$patch", None)
    return msgspec.convert(plain, PodTemplateSpec)


def data_hash(data: Mapping[str, Any], collisions: int | None) -> str:
    """FNV-1 over the patch's JSON as Go writes it (sorted, `<>&` escaped), as StatefulSets name their revisions."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    value = 0x811C9DC5
    for byte in (text + ("" if collisions is None else str(collisions))).encode():
        value = (value * 0x01000193 & 0xFFFFFFFF) ^ byte
    return safe_encode(str(value))


@dataclass
class Decision:
    """`current` is the revision of the wanted template; it is also in `create` or `renumber` when it must be
    written.
    """

    current: ControllerRevision
    create: ControllerRevision | None = None
    renumber: ControllerRevision | None = None
    known: list[ControllerRevision] = field(default_factory=list)


def decide(
    owner: ApiObject,
    template: PodTemplateSpec,
    known: Sequence[ControllerRevision],
    name_hash: str,
    marks: ObjectMeta,
) -> Decision:
    """`marks` has the labels and annotations of a new revision. A template that was there before gets the newest
    number.
    """
    ordered = sorted(known, key=lambda item: (item.revision, item.metadata.creation_timestamp or ""))
    newest = ordered[-1].revision if ordered else 0
    same = [item for item in ordered if template_of(item) == template]
    if same:
        found = same[-1]
        if found.revision == newest:
            return Decision(found, known=ordered)
        renumbered = copy(found)
        renumbered.revision = newest + 1
        return Decision(renumbered, renumber=renumbered, known=ordered)
    created = ControllerRevision(
        metadata=ObjectMeta(
            name=f"{owner.metadata.name}-{name_hash}",
            namespace=owner.metadata.namespace,
            labels=marks.labels,
            annotations=marks.annotations,
            owner_references=[owner_reference(owner)],
        ),
        data=data_of(template),
        revision=newest + 1,
    )
    return Decision(created, create=created, known=ordered)


class NameTaken(Exception):
    """Another revision has the name: a hash collision, to be counted in the owner's status."""


async def keep(client: Client, owner: ApiObject, decision: Decision) -> ControllerRevision:
    """Writes what is to be written; the current revision as it is stored. Raises NameTaken."""
    if decision.renumber is not None:
        return await client.update(decision.renumber)
    if decision.create is None:
        return decision.current
    new = decision.create
    try:
        return await client.create(new)
    except StatusError as error:
        if error.code != 409:
            raise
    taken = await client.get(ControllerRevision, new.metadata.name or "", new.metadata.namespace)
    if is_controlled_by(taken, owner) and template_of(taken) == template_of(new):
        return taken
    raise NameTaken(new.metadata.name)


def superfluous(known: Sequence[ControllerRevision], used: set[str], limit: int | None) -> list[ControllerRevision]:
    """The oldest revisions beyond the limit; `used` names live ones, which count for nothing and stay."""
    idle = [item for item in known if item.metadata.name not in used]
    return idle[: max(len(idle) - (10 if limit is None else limit), 0)]


async def drop(client: Client, revisions: Sequence[ControllerRevision]) -> None:
    """Deletes revisions; one that is gone is no error."""
    for item in revisions:
        try:
            await client.delete(ControllerRevision, item.metadata.name or "", item.metadata.namespace)
        except StatusError as error:
            if error.code != 404:
                raise
