"""One cluster for the whole folder, and a namespace for each test."""

from __future__ import annotations

import gc
import itertools
import os
import ssl
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.clients import downloads
from tests.clients.server import Place, running_cluster

_HERE = Path(__file__).parent
_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sockets that these clients leave to the garbage collector are not our business."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))
            item.add_marker(pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"))


@pytest.fixture(scope="package")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A cluster with two simulated nodes."""
    with running_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running
    # Here, where nobody minds, and not in a test that comes later.
    gc.collect()


@pytest.fixture
def namespace(place: Place) -> Iterator[str]:
    """A namespace of the test's own, with its default service account; removed without waiting."""
    name = f"test-{next(_numbers)}"
    call(place, "POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    account = f"/api/v1/namespaces/{name}/serviceaccounts?fieldSelector=metadata.name%3Ddefault"
    seen = call(place, "GET", account)
    if not seen["items"]:
        # The answer of a watch begins with its first event.
        call(place, "GET", f"{account}&watch=true&resourceVersion={seen['metadata']['resourceVersion']}", lines=1)
    yield name
    call(place, "DELETE", f"/api/v1/namespaces/{name}")


@pytest.fixture(scope="session")
def tools() -> downloads.Tools:
    """kubectl 1.35 and helm 4."""
    try:
        return downloads.tools()
    except downloads.Unavailable as reason:
        pytest.skip(f"kubectl 1.35 and helm 4: {reason}")


@pytest.fixture(scope="package")
def environment(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The environment of a command-line tool: its own home, so that it finds no one's settings or caches."""
    home: Path = tmp_path_factory.mktemp("home")
    return {"HOME": str(home), "PATH": os.environ["PATH"], "KUBECONFIG": str(place.kubeconfig)}


def call(place: Place, method: str, path: str, body: object = None, lines: int = 0) -> Any:
    """A request with nothing of the project's own client; with `lines`, the answer's first lines only."""
    request = urllib.request.Request(f"{place.url}{path}", method=method)
    request.add_header("Authorization", f"Bearer {place.token}")
    if body is not None:
        request.data = msgspec.json.encode(body)
        request.add_header("Content-Type", "application/json")
    context = ssl.create_default_context(cafile=str(place.authority))
    with urllib.request.urlopen(request, context=context, timeout=30) as answer:
        content = answer.readline() if lines else answer.read()
    return msgspec.json.decode(content)
