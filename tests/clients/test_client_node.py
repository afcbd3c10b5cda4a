"""`@kubernetes/client-node`: its typed client makes changes, and its informer sees them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients import downloads
from tests.clients.server import Place

_PROGRAM = Path(__file__).parent / "informer.mjs"


class Informer:
    """The program that runs it: commands in, what it says out."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def call(self, call: str, **words: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"call": call, **words}) + "\n")
        self._process.stdin.flush()

    def until(self, what: str) -> dict[str, Any]:
        """The next line of this sort; what comes before it is read over."""
        assert self._process.stdout is not None
        said = []
        for line in self._process.stdout:
            said.append(line)
            found: dict[str, Any] = json.loads(line)
            if found["what"] == what:
                return found
            assert found["what"] not in ("error", "refused"), found
        raise AssertionError(f"ended before it said {what}: {said}")


@pytest.fixture
def informer(place: Place, namespace: str) -> Iterator[Informer]:
    try:
        modules = downloads.node_modules()
    except downloads.Unavailable as reason:
        pytest.skip(f"@kubernetes/client-node: {reason}")
    environment = {"PATH": os.environ["PATH"], "KUBECONFIG": str(place.kubeconfig)}
    words = ["node", str(_PROGRAM), str(modules), namespace]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as process:
        yield Informer(process)
        assert process.stdin is not None
        process.stdin.close()
        process.terminate()


def test_an_informer_sees_what_its_client_does(informer: Informer) -> None:
    informer.until("connect")
    informer.call("create", name="s", data={"a": "1"})
    added = informer.until("add")
    assert (added["name"], added["data"]) == ("s", {"a": "1"})
    informer.call("patch", name="s", patch={"data": {"a": None, "b": "2"}})
    assert informer.until("update")["data"] == {"b": "2"}
    informer.call("cached")
    assert informer.until("cached")["answer"] == ["s"]
    informer.call("remove", name="s")
    assert informer.until("delete")["name"] == "s"


def test_refusals_and_server_side_apply(informer: Informer, namespace: str) -> None:
    informer.until("connect")
    informer.call("read", name="none")
    refused = informer.until("refused")
    assert refused["code"] == 404
    assert 'configmaps \\"none\\" not found' in refused["message"]
    metadata = {"name": "applied", "namespace": namespace, "labels": {"of": "test"}}
    wanted = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"c": "3"}}
    informer.call("apply", object=wanted)
    assert informer.until("add")["data"] == {"c": "3"}
