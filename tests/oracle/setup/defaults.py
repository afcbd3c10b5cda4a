"""The set-up of `defaults/`: the recorded scenarios shared one server, and tokens are kept by name."""

from __future__ import annotations

import asyncio

from tests.oracle.ground import Ground
from tests.oracle.setup.preparing import before


@before("defaults/authorization.reviews", 0)
async def _rights_of_carol(ground: Ground) -> None:
    group = "rbac.authorization.k8s.io"
    await ground.create(
        {
            "kind": "RoleBinding",
            "apiVersion": f"{group}/v1",
            "metadata": {"name": "carol-view", "namespace": "defaults"},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "system:node"},
            "subjects": [{"kind": "User", "name": "carol", "apiGroup": group}],
        }
    )


@before("defaults/subresources.binding-eviction", 0)
async def _pods_of_defaults(ground: Ground) -> None:
    await ground.replay_creates("defaults/core.nodes", "defaults/core.pods")


@before("defaults/subresources.token", 0)
async def _pods_for_tokens(ground: Ground) -> None:
    await ground.replay_creates("defaults/core.nodes", "defaults/core.pods")
    await _bind(ground, "min", "def-rich")


@before("defaults/subresources.scale-status", 0)
async def _workloads_of_defaults(ground: Ground) -> None:
    await ground.replay_creates(
        "defaults/api*", "defaults/core.*", "defaults/apps.*", "defaults/certificates.*", "defaults/example.*"
    )


async def _bind(ground: Ground, name: str, node: str) -> None:
    body = {"target": {"kind": "Node", "name": node}, "metadata": {"name": name}}
    await ground.call("POST", "/api/v1/namespaces/defaults/bindings", body)


@before("defaults/core.pods", 0)
async def _nodes_of_defaults(ground: Ground) -> None:
    await ground.replay_creates("defaults/core.nodes")


@before("defaults/subresources.scale-status", 34)
async def _evicted_before(ground: Ground) -> None:
    await _bind(ground, "min", "def-rich")
    body = {"metadata": {"name": "min"}}
    await ground.call("POST", "/api/v1/namespaces/defaults/pods/min/eviction", body)


_TOKENS = "defaults/subresources.token"


@before(_TOKENS, 1)
async def _keep_plain_token(ground: Ground) -> None:
    ground.bind("<plain token>", ground.bindings.values["<token>"])
    ground.bind("<plain token uid>", ground.bindings.values.get("<uid:2>", ""))


@before(_TOKENS, 9)
async def _review_plain_token(ground: Ground) -> None:
    ground.bind("<bound token>", ground.bindings.values.get("<first bound token>", ""))
    await _use_token(ground, "<plain token>")


@before(_TOKENS, 2)
async def _keep_bound_token(ground: Ground) -> None:
    ground.bind("<first bound token>", ground.bindings.values["<token>"])


async def _use_token(ground: Ground, name: str) -> None:
    for placeholder in ("<token>", "<service account token>"):
        ground.bind(placeholder, ground.bindings.values[name])


for _step, _name in ((13, "<bound token>"), (15, "<plain token>"), (19, "<bound token>"), (20, "<plain token>")):

    @before(_TOKENS, _step)
    async def _use(ground: Ground, name: str = _name) -> None:
        await _use_token(ground, name)


_API_SERVICES = "defaults/apiregistration.apiservices"


@before(_API_SERVICES)
async def _aggregator(ground: Ground) -> None:
    ground.tasks.append(asyncio.ensure_future(ground.api.run()))


for _step in (1, 4):

    @before(_API_SERVICES, _step)
    async def _looked_at(ground: Ground) -> None:
        await ground.settle()
