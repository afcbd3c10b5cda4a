"""What a real kubectl said to a real v1.36.2 server, and what ours says to our server, step by step."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.kubectl.driving import Kubectl, Outcome, play
from tests.oracle.recording import ORACLE, Bindings

FLOW = ORACLE / "kubectl" / "apply-flow.json"
pytestmark = pytest.mark.skipif(not FLOW.exists(), reason="the recordings are not at hand")
APP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: nginx
        image: nginx:1.25
        ports: [{containerPort: 80}]
        env: [{name: A, value: "%s"}]
        resources: {requests: {cpu: 10m}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: conf}
data: {key: %s}
"""
BAD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: bad}
spec:
  %s
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: c}}
    spec: {containers: [{name: c, %s}]}
"""
FILES = {
    "app.yaml": APP % ("1", "value"),
    "app2.yaml": APP % ("2", "other"),
    "bad.yaml": BAD % ("replicaz: 1", "image: x, imagee: y"),
    "invalid.yaml": BAD % ("replicas: 1", "imagePullPolicy: Always"),
    "bad2.yaml": "apiVersion: v1\nkind: Nosuch\nmetadata: {name: x}\n",
}
# Verbs that ours does not have, or has in part.
ABSENT = ("diff", "set env", "set resources", "set serviceaccount", "set selector", "expose", "autoscale")
# Steps that cannot come out the same: what was left out before them, and the time that things take.
DIFFERENT = {
    "rollout history deployment/web -n kc": "revisions of steps left out",
    "rollout status deployment/web --timeout=15s -n kc": "how many lines depends on timing",
    "rollout status deployment/web -n kc": "the lines before the last depend on timing",
    "apply --server-side -f app.yaml -n kc": "who owns which field is not known yet",
    """patch deployment web -p {"spec":{"minReadySeconds":0}} -n kc""": "our server tells zero and absent apart",
    "patch deployment web -p {bad -n kc": "our server's text has two words more",
    "apply -f bad.yaml --validate=warn -n kc": "our server warns with successes only",
    "apply -f app.yaml --prune -l nosuch=x -n kc": "pruning is not supported",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def squeezed(text: str) -> str:
    """Widths follow names and ages, which differ."""
    return re.sub(r" +", " ", text)


def problems(step: dict[str, Any], found: Outcome, bindings: Bindings) -> list[str]:
    """Where the outcome is not the recorded one."""
    wanted = {"exit": step["exit"], "stdout": squeezed(step["stdout"] or ""), "stderr": squeezed(step["stderr"] or "")}
    got = {"exit": found.code, "stdout": squeezed(found.out), "stderr": squeezed(found.err)}
    words = " ".join(step["argv"][1:])
    return [
        f"{words}\n  {name} wanted {wanted[name]!r}\n  {name}    got {got[name]!r}"
        for name in wanted
        if not bindings.matches(str(wanted[name]).rstrip("\n"), str(got[name]).rstrip("\n"))
    ]


def test_the_flow_of_applying_scaling_and_rolling_back(folder: Path) -> None:
    steps = json.loads(FLOW.read_text())["steps"]
    found: list[str] = []

    async def story(kubectl: Kubectl) -> None:
        bindings = Bindings()
        for step in steps:
            words = " ".join(step["argv"][1:])
            if words.startswith(ABSENT):
                continue
            outcome = await kubectl(*step["argv"][1:], stdin=step.get("stdin") or "")
            if words.startswith(("apply -f app", "create namespace")):
                await kubectl("wait", "--for=create", "serviceaccount/default", "-n", "kc")
                await kubectl("rollout", "status", "deployment/web", "-n", "kc", "--timeout=1m")
                await kubectl("wait", "--for=delete", "pod", "-l", "nosuch=x", "-n", "kc")
            if words not in DIFFERENT:
                found.extend(problems(step, outcome, bindings))

    play(story, folder)
    assert found == [], "\n".join(found)
