"""Whole requests, admitted or refused as a real API server recorded them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pybernetes.api.wire import Peer, Request

ORACLE = Path(__file__).parents[4] / "shared/oracle/admission"
POD_SECURITY = "pod-security.kubernetes.io/"
KUBELET = Peer("", "system:node:node-1", ("system:nodes",))
# Steps whose recorded answer hangs on what no step shows, on chance, or on what other parts do.
SKIPPED = {
    # Lists two violations in the order of a Go map.
    "limitranger": {8},
    # A default class that came or went unrecorded; two classes made within one second; a mirror pod's validation.
    "serviceaccount-priority-tolerations": {8, 21, 22, 23, 25, 33, 36},
    "noderestriction": set(),
    "resourcequota": set(),
    # A PUT of times that the recording has replaced.
    "podsecurity": {38},
}
LABELS = {
    "ps-baseline": {"enforce": "baseline"},
    "ps-restricted": {"enforce": "restricted"},
    "ps-warn": {"warn": "restricted", "warn-version": "v1.25"},
}


async def ask(api, method: str, path: str, body: Any = None, peer: Peer = Peer(), **query: str):  # noqa: B008
    headers = {"content-type": "application/merge-patch+json" if method == "PATCH" else "application/json"}
    if not peer.common_name:
        headers["authorization"] = "Bearer admin-token"
    content = json.dumps(body).encode() if body is not None else b""
    response = await api.handle(Request(method, path, tuple(query.items()), headers, content, peer))
    return response, json.loads(response.body)


async def prepare(api, steps: list[dict[str, Any]]) -> None:
    """The namespaces that the recording used without making them, as controllers would have filled them."""
    paths = " ".join(step["request"]["path"] for step in steps)
    for name in sorted(set(re.findall(r"/namespaces/([a-z0-9-]+)", paths))):
        labels = {POD_SECURITY + key: value for key, value in LABELS.get(name, {}).items()}
        await ask(api, "POST", "/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
        inside = f"/api/v1/namespaces/{name}"
        await ask(api, "POST", f"{inside}/serviceaccounts", {"metadata": {"name": "default"}})
        await ask(api, "POST", f"{inside}/configmaps", {"metadata": {"name": "kube-root-ca.crt"}})
    if "adm-node" in paths:
        await ask(api, "POST", "/api/v1/nodes", {"metadata": {"name": "node-2"}})
        for name, node, secret in (("mine", "node-1", "s1"), ("theirs", "node-2", "s2")):
            await ask(api, "POST", "/api/v1/namespaces/adm-node/secrets", {"metadata": {"name": secret}})
            volumes = [{"name": "s", "secret": {"secretName": secret}}]
            spec = {"nodeName": node, "containers": [{"name": "c", "image": "i"}], "volumes": volumes}
            await ask(api, "POST", "/api/v1/namespaces/adm-node/pods", {"metadata": {"name": name}, "spec": spec})


def message(body: Any) -> str | None:
    return body.get("message") if body.get("kind") == "Status" else None


def warnings(headers: Any) -> list[str]:
    given = next((value for key, value in headers.items() if key.lower() == "warning"), ())
    return [given] if isinstance(given, str) else list(given)


def comparable(spec: Any) -> Any:
    """A spec without what is drawn by chance."""
    text = re.sub(r'kube-api-access-[^"]*', "kube-api-access", json.dumps(spec))
    return json.loads(
        re.sub(r'"<?(clusterIP:\d+>|10\.96\.\d+\.\d+)"|"<nodePort:\d+>"|\b3[0-2]\d{3}\b', '"drawn"', text)
    )


def with_uids(body: Any, uids: dict[str, str]) -> Any:
    text = json.dumps(body)
    for placeholder, uid in uids.items():
        text = text.replace(placeholder, uid)
    return json.loads(text)


@pytest.mark.skipif(not ORACLE.exists(), reason="recorded answers are not here")
@pytest.mark.parametrize("scenario", list(SKIPPED))
async def test_admission_answers_as_recorded(api, scenario):
    steps = json.loads((ORACLE / f"{scenario}.json").read_text())["steps"]
    await prepare(api, steps)
    uids: dict[str, str] = {}
    for number, step in enumerate(steps):
        request, recorded = step["request"], step["response"]
        peer = KUBELET if "node-1" in request.get("headers", {}).get("Authorization", "") else Peer()
        body = with_uids(request["body"], uids) if request.get("body") is not None else None
        response, answer = await ask(api, request["method"], request["path"], body, peer, **request["query"])
        uid = recorded["body"].get("metadata", {}).get("uid")
        if uid and answer.get("metadata", {}).get("uid"):
            uids[uid] = answer["metadata"]["uid"]
        if number in SKIPPED[scenario]:
            continue
        where = f"step {number}: {request['method']} {request['path']} {json.dumps(body)}"
        assert (response.status, message(answer)) == (recorded["status"], message(recorded["body"])), where
        assert [w for w in warnings(response.headers) if "PodSecurity" in w] == [
            w for w in warnings(recorded["headers"]) if "PodSecurity" in w
        ], where
        if request["method"] == "POST" and response.status == 201 and "spec" in recorded["body"]:
            assert comparable(answer["spec"]) == comparable(with_uids(recorded["body"]["spec"], uids)), where
