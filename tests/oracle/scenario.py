"""Replays a whole scenario: its set-up, its steps in their order, and where each differs.

`run(path)` is used by the tests and by `python -m tests.oracle`; it works in virtual time.
"""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

from pybernetes.environment.virtual_time import run_virtual
from tests.oracle.ground import Ground, path_of
from tests.oracle.recording import Step, replay, steps
from tests.oracle.setup import BEFORE, COMPLETE, CONTROLLED, DURING, NO_NAMESPACES

_NAMESPACED = re.compile(r"/namespaces/([a-z0-9-]+)/[a-z]+")
_SYSTEM = ("default", "kube-system", "kube-public", "kube-node-lease")


def name_of(path: Path) -> str:
    """Such as `errors/auth`."""
    return f"{path.parent.name}/{path.stem}"


def run(path: Path) -> dict[int, list[str]]:
    """The differences by the number of their step; nothing for steps that are equal."""
    return run_virtual(_replayed(name_of(path), steps(path)))


async def _replayed(scenario: str, recorded: list[Step]) -> dict[int, list[str]]:
    ground = await Ground.start(recorded)
    try:
        if scenario in CONTROLLED:
            ground.start_controllers()
        await _make_namespaces(ground, scenario)
        if scenario in DURING:
            return await _side_by_side(ground, scenario)
        return await _one_by_one(ground, scenario)
    finally:
        await ground.close()


async def _one_by_one(ground: Ground, scenario: str) -> dict[int, list[str]]:
    result = {}
    for step in ground.steps:
        if (prepare := BEFORE.get((scenario, step.number))) is not None:
            await prepare(ground)
        if scenario not in COMPLETE:
            await presuppose(ground, step)
        if found := await replay(ground.api, step, ground.bindings):
            result[step.number] = found
    return result


async def _side_by_side(ground: Ground, scenario: str) -> dict[int, list[str]]:
    """All steps are watches that were open at the same time, while something happened."""
    await BEFORE[scenario, 0](ground)
    tasks = [asyncio.ensure_future(replay(ground.api, step, ground.bindings)) for step in ground.steps[:-1]]
    await asyncio.sleep(0.1)
    await DURING[scenario](ground)
    found = await asyncio.gather(*tasks)
    found.append(await replay(ground.api, ground.steps[-1], ground.bindings))
    return {step.number: texts for step, texts in zip(ground.steps, found, strict=True) if texts}


async def _make_namespaces(ground: Ground, scenario: str) -> None:
    """The namespaces that the scenario works in and does not make itself."""
    made_later = {
        step.request["body"]["metadata"].get("name")
        for step in ground.steps
        if step.request["method"] == "POST"
        and step.request["path"] == "/api/v1/namespaces"
        and step.response["status"] == 201
        and isinstance(step.request.get("body"), dict)
    }
    wanted = {
        match.group(1)
        for step in ground.steps
        if step.response["status"] < 300 or step.response["status"] == 422
        for match in [_NAMESPACED.search(step.request["path"])]
        if match
    }
    for name in sorted({*wanted, *_SYSTEM} - made_later - NO_NAMESPACES):
        await ground.namespace(name)


async def presuppose(ground: Ground, step: Step) -> None:
    """Makes what a recorded answer shows and nothing recorded has made."""
    body = step.response.get("body")
    method, path = step.request["method"], ground.bindings.fill(step.request["path"])
    if step.response["status"] != 200 or not isinstance(body, dict) or method == "POST":
        return
    if isinstance(body.get("items"), list) and body.get("kind", "").endswith("List"):
        for item in body["items"]:
            if isinstance(item, dict):
                await _make(ground, {"kind": body["kind"][:-4], "apiVersion": body["apiVersion"], **item})
        return
    if body.get("kind") == "Status" and method == "DELETE" and "name" in body.get("details", {}):
        await _make_minimal(ground, path, body["details"])
        return
    if "metadata" not in body or not body["metadata"].get("name"):
        return
    if path.endswith("/" + body["metadata"]["name"]):
        await _make(ground, body, shown_later=method != "GET")


async def _make_minimal(ground: Ground, path: str, details: dict[str, str]) -> None:
    """Makes an object of which nothing but its deletion is recorded."""
    if await ground.exists(path):
        return
    spec = {"networkpolicies": {"podSelector": {}}}.get(details["kind"])
    body = {"metadata": {"name": details["name"]}, **({"spec": spec} if spec else {})}
    response = await ground.send("POST", path.rpartition("/")[0], body)
    if response.status == 201:
        ground.bindings.matches(details["uid"], json.loads(response.body)["metadata"]["uid"])


async def _make(ground: Ground, obj: dict[str, Any], shown_later: bool = False) -> None:
    metadata = obj.get("metadata", {})
    if obj["kind"] == "PartialObjectMetadata" or ground.bindings.values.get(metadata.get("uid", "")):
        return
    name = ground.bindings.fill(metadata.get("name", ""))
    namespace = metadata.get("namespace")
    try:
        collection = path_of(obj)
    except LookupError:
        return
    if namespace and not await ground.exists(f"/api/v1/namespaces/{namespace}"):
        return
    if "<suffix" not in name and await ground.exists(f"{collection}/{name}"):
        return
    try:
        await ground.create(obj, shown_later)
    except AssertionError:
        return  # The step itself will show what is wrong.
