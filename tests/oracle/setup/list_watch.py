"""The set-up of `list-watch/`: objects to page, watch and show, compacted histories, and continue tokens."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.oracle.ground import Ground
from tests.oracle.setup.preparing import DURING, MERGE, before, config_map, pod
from tests.oracle.tables import capacity, tables


@before("list-watch/selectors", 0)
async def _selected_objects(ground: Ground) -> None:
    await ground.replay_creates(
        "defaults/api*", "defaults/core.no*", "defaults/certificates.*", "defaults/resource.resourceslices"
    )
    for name in ("def-min", "def-rich", "defaults", "defaults-quota", "err-upd", "errors", "patch"):
        await ground.namespace(name)
    await ground.create(config_map("c", "err-term"))
    await ground.call("DELETE", "/api/v1/namespaces/err-term")
    for name in ("err-upd", "patch-node"):
        await ground.create({"kind": "Node", "apiVersion": "v1", "metadata": {"name": name}})
    running = {"phase": "Running", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}]}
    await ground.create(pod("s0", "lw", node="n0", labels={"a": "1", "env": "prod"}, status=running))
    await ground.create(pod("s1", "lw", node="n1", labels={"a": "2", "env": "dev"}, restartPolicy="Never"))
    await ground.create(pod("s2", "lw", labels={"a": "3"}))
    await ground.create(pod("s3", "lw", hostNetwork=True))


async def _numbered_maps(ground: Ground, namespace: str = "lw", count: int = 7) -> None:
    for number in range(count):
        labels = {"even": "false" if number % 2 else "true"}
        await ground.create(config_map(f"p{number}", namespace, labels=labels))


@before("list-watch/paging", 0)
async def _maps_to_page(ground: Ground) -> None:
    await _numbered_maps(ground)


@before("list-watch/paging", 1)
async def _changed_between_pages(ground: Ground) -> None:
    await ground.call("DELETE", "/api/v1/namespaces/lw/configmaps/p5")
    await ground.create(config_map("p55", "lw"))


@before("list-watch/watch", 0)
async def _maps_to_watch(ground: Ground) -> None:
    for number in (0, 1, 2, 3, 4, 6):
        labels = {"even": "false" if number % 2 else "true"}
        made = await ground.create(config_map(f"p{number}", "lw", labels=labels))
        ground.bind(f"<rv:{min(number + 1, 6)}>", made["metadata"]["resourceVersion"])
    await ground.create(config_map("p55", "lw"))
    ground.bind("<rv:7>", ground.revision)


async def _watched_changes(ground: Ground) -> None:
    path = "/api/v1/namespaces/lw/configmaps"

    async def patch(**body: Any) -> None:
        await ground.send("PATCH", f"{path}/wa", body, content_type=MERGE)

    await ground.create(config_map("wa", "lw", labels={"w": "1"}))
    await patch(data={"x": "1"})
    await patch(metadata={"labels": {"w": "2"}})
    await patch(data={"x": "2"})
    await patch(metadata={"labels": {"w": "1"}})
    await patch(metadata={"labels": None})
    await patch(metadata={"labels": {"w": "3"}})
    await ground.create(config_map("wb", "lw"))
    await patch(metadata={"finalizers": ["a.b/c"]})
    await ground.call("DELETE", f"{path}/wa")
    await patch(metadata={"finalizers": None})
    await ground.call("DELETE", f"{path}/wb")


DURING["list-watch/watch"] = _watched_changes


@before("list-watch/watch-expired", 0)
async def _compacted(ground: Ground) -> None:
    for number in (0, 1, 2, 3, 4, 6):
        await ground.create(config_map(f"p{number}", "lw", labels={"even": "false" if number % 2 else "true"}))
    await ground.store.compact(ground.revision)
    await ground.create(config_map("p55", "lw"))
    ground.bind("<rv:10>", ground.revision)


@before("list-watch/watch-expired", 4)
async def _second_page_token(ground: Ground) -> None:
    answer = await ground.call("GET", "/api/v1/namespaces/lw/configmaps?limit=2")
    ground.bind("<continue>", answer["metadata"]["continue"])


def _token(**fields: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(fields, separators=(",", ":")).encode()).decode().rstrip("=")


async def _compacted_and_token(ground: Ground) -> None:
    await ground.namespace("lw-exp")
    for number in range(5):
        await ground.create(config_map(f"p{number}", "lw-exp"))
    await ground.store.compact(ground.revision)
    await ground.create(config_map("z", "lw"))


def _tokens_of_notes() -> None:
    """The continue tokens are described by the steps' notes: `token decodes to {...}`."""
    for step in range(8):

        @before("list-watch/continue-expired", step)
        async def use(ground: Ground, step: int = step) -> None:
            if step == 0:
                await _compacted_and_token(ground)
            if step == 1:
                return
            fields = json.loads(ground.steps[step].note.split("token decodes to ")[1])
            if fields["rv"] == "<number>":
                fields["rv"] = ground.revision
            ground.bind("<continue>", _token(**fields))


_tokens_of_notes()


_APPROVED = {"type": "Approved", "status": "True", "reason": "ok", "message": "m"}
_EXAMPLE = {"apiVersion": "example.com/v1"}
_PATCHED_NODE = {
    "kind": "Node",
    "apiVersion": "v1",
    "metadata": {"name": "patch-node"},
    "status": {
        "conditions": [{"type": "Ready", "status": "True"}],
        "addresses": [{"type": "InternalIP", "address": "192.0.2.5"}],
    },
}


@before("list-watch/tables", 0)
async def _objects_in_tables(ground: Ground) -> None:
    # Where the age stands in no column, the recording kept it.
    await ground.settle(52)
    await ground.replay_creates("defaults/*", "errors/*", "patch/*")
    for name in ("v1.min.example.com", "v1beta1.rich.example.com"):
        await ground.call("DELETE", f"/apis/apiregistration.k8s.io/v1/apiservices/{name}")
    for name in ("lw", "patch"):
        await ground.namespace(name)
    if not await ground.exists("/api/v1/nodes/patch-node"):
        await ground.create(_PATCHED_NODE)
    approval = "/apis/certificates.k8s.io/v1/certificatesigningrequests/rich/approval"
    await ground.send("PATCH", approval, {"status": {"conditions": [_APPROVED]}}, content_type=MERGE)
    ready = {"conditions": [{"type": "Ready", "status": "True"}], "capacity": {"cpu": "2"}, "allocatable": {"cpu": "2"}}
    await ground.send("PATCH", "/api/v1/nodes/def-min/status", {"status": ready}, content_type=MERGE)
    await ground.create(config_map("c", "err-term"))
    await ground.call("DELETE", "/api/v1/namespaces/err-term")
    example = "/apis/example.com/v1"
    for name in ("g", "tg"):
        await ground.call("POST", f"{example}/gadgets", {**_EXAMPLE, "kind": "Gadget", "metadata": {"name": name}})
    for obj in tables():
        await ground.create(obj)
    widget = {**_EXAMPLE, "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 3}}
    made = await ground.call("POST", f"{example}/namespaces/tables/widgets", widget)
    await ground.send("PUT", f"{example}/namespaces/tables/widgets/w/status", {**made, "status": {"phase": "Up"}})
    await ground.call("DELETE", "/api/v1/namespaces/tables/pods/terminating")
    await ground.create(capacity())
