"""The set-up of `delete/`: finalizers that go, and owners with dependents, collected by controllers."""

from __future__ import annotations

from tests.oracle.ground import Ground
from tests.oracle.setup.preparing import MERGE, before, config_map

_DELETED = "/api/v1/namespaces/del/configmaps"


@before("delete/basic-preconditions-finalizers", 3)
async def _object_with_preconditions(ground: Ground) -> None:
    made = await ground.create(config_map("b", "del"))
    ground.bind("<uid:3>", made["metadata"]["uid"])
    ground.bind("<rv:1>", made["metadata"]["resourceVersion"])


@before("delete/basic-preconditions-finalizers", 25)
async def _objects_to_delete_together(ground: Ground) -> None:
    for number in range(4):
        finalizers = {} if number else {"finalizers": ["a.b/c"]}
        await ground.create(config_map(f"c{number}", "del", labels={"x": str(number % 2)}, **finalizers))


@before("delete/basic-preconditions-finalizers", 29)
async def _collected_meanwhile(ground: Ground) -> None:
    for name in ("h", "o", "p"):
        await ground.send("PATCH", f"{_DELETED}/{name}", {"metadata": {"finalizers": None}}, content_type=MERGE)
    # What every namespace has.
    await ground.create(config_map("kube-root-ca.crt", "del"))


@before("delete/pods", 0)
async def _begin_of_the_watch(ground: Ground) -> None:
    await ground.namespace("del-pods")
    ground.bind("<rv:1>", ground.revision)


@before("delete/pods", 18)
async def _finalizer_gone(ground: Ground) -> None:
    path = "/api/v1/namespaces/del-pods/pods/fin"
    await ground.send("PATCH", path, {"metadata": {"finalizers": None}}, content_type=MERGE)


@before("delete/namespace", 0)
async def _namespace_with_content(ground: Ground) -> None:
    await ground.create(config_map("stuck", "del-ns", finalizers=["a.b/c"]))
    ground.bind("<rv:2>", ground.revision)


@before("delete/namespace", 5)
async def _namespace_controller(ground: Ground) -> None:
    # Managers are listed in the order of their times.
    await ground.settle(1)
    ground.start_controllers()
    await ground.settle(5)


@before("delete/namespace", 8)
async def _content_gone(ground: Ground) -> None:
    path = "/api/v1/namespaces/del-ns/configmaps/stuck"
    await ground.send("PATCH", path, {"metadata": {"finalizers": None}}, content_type=MERGE)
    await ground.settle(30)


async def _replicas(ground: Ground, name: str, *revisions: int) -> None:
    """A replica set whose controller has made its two pods; binds the revision after that."""
    if not ground.has_controllers:
        ground.start_controllers()
    template = {"metadata": {"labels": {"n": name}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"n": name}}, "template": template}
    metadata = {"name": name, "namespace": "del-prop"}
    await ground.create({"kind": "ReplicaSet", "apiVersion": "apps/v1", "metadata": metadata, "spec": spec})
    await ground.settle(5)
    for revision in revisions:
        ground.bind(f"<rv:{revision}>", ground.revision)


for _step, _policy, _revisions in (
    (0, "background", (1, 2)),
    (5, "foreground", (9,)),
    (10, "orphan", (21, 22)),
    (15, "default", (30,)),
):

    @before("delete/propagation", _step)
    async def _with_replicas(ground: Ground, name: str = _policy, revisions: tuple[int, ...] = _revisions) -> None:
        await ground.namespace("del-prop")
        await _replicas(ground, name, *revisions)


@before("delete/propagation", 21)
async def _owner_and_dependent(ground: Ground) -> None:
    owner = await ground.create(config_map("owner", "del-prop"))
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    blocking = [{**reference, "blockOwnerDeletion": True}]
    await ground.create(config_map("dep", "del-prop", ownerReferences=blocking))
    ground.bind("<uid:13>", owner["metadata"]["uid"])
    await ground.settle()


@before("delete/propagation", 22)
async def _owner_collected(ground: Ground) -> None:
    await ground.settle(5)
