"""The server that a scenario is replayed against, and ways to bring it into the state that the recording began with.

The recordings' set-up is partly unrecorded: objects that a later answer shows were made without a step. `presuppose`
makes them from that answer; what no answer tells is in `setup/`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pybernetes.api.kinds import find_kind
from pybernetes.api.wire import Peer, Request, Response
from pybernetes.apiserver.apiserver import ApiServer
from pybernetes.apiserver.connect.node_connection import Backend, Call, Unreachable, Upgraded
from pybernetes.apiserver.options import ApiServerOptions
from pybernetes.apiserver.request import UserInfo
from pybernetes.client import Client
from pybernetes.client.in_process import InProcessTransport
from pybernetes.controllers.context import ControllerOptions
from pybernetes.controllers.main import make_context, run_controllers
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import LoopClock
from pybernetes.store.embedded import EmbeddedStore
from tests.oracle.matching import Bindings
from tests.oracle.recording import ORACLE, Step, steps

TOKENS = {
    "admin-token": UserInfo("admin", "admin", ("system:masters", "system:authenticated")),
    "alice-token": UserInfo("alice", "alice-uid", ("dev", "system:authenticated")),
}
_START = datetime(2030, 1, 1, tzinfo=UTC)
_SERVER_METADATA = (
    *("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "deletionTimestamp"),
    "deletionGracePeriodSeconds",
)
_SETTLE_SECONDS = 2.0
_NAMESPACED = re.compile(r"/namespaces/([a-z0-9-]+)/[a-z]+$")


@cache
def _key() -> bytes:
    key = ec.derive_private_key(11, ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@cache
def _signing_request() -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "someone")])
    key = ec.derive_private_key(12, ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return base64.b64encode(request.public_bytes(serialization.Encoding.PEM)).decode()


def _known() -> dict[str, str]:
    """What placeholders of requests stand for from the beginning."""
    users = {f"<token of {name}>": f"{name}-token" for name in ("admin", "alice")}
    return {**users, "<base64 certificate>": _signing_request()}


class _Alone:
    """The recorded server's way to others: nobody listened."""

    async def request(self, backend: Backend, call: Call) -> Response:
        raise Unreachable(f"dial tcp {backend.authority}: connect: connection refused")

    async def upgrade(self, backend: Backend, call: Call) -> Upgraded | Response:
        return await self.request(backend, call)


@dataclass
class Ground:
    """A running server, what the scenario's placeholders stand for there, and its steps."""

    api: ApiServer
    bindings: Bindings
    steps: list[Step]
    store: EmbeddedStore
    clock: LoopClock
    has_controllers: bool = False
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @classmethod
    async def start(cls, steps: list[Step]) -> Ground:
        """A fresh server in memory, configured as the recorded one was."""
        clock = LoopClock(_START)
        store = await EmbeddedStore.open(None, clock)
        options = ApiServerOptions(_key(), tokens=TOKENS, advertise_address="192.0.2.10", secure_port=26443)
        api = await ApiServer.start(options, store, clock, Chance(1), _Alone())
        return cls(api, Bindings(_known()), steps, store, clock)

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.api.close()
        await self.store.close()

    def start_controllers(self) -> None:
        """Runs kube-controller-manager's controllers beside the scenario."""
        peer = Peer("in-process", "system:kube-controller-manager", ("system:masters",))
        client = Client(InProcessTransport(self.api.handle, peer=peer), user_agent="kube-controller-manager")
        context = make_context(client, self.clock, Chance(2), ControllerOptions(cluster_cidr="10.244.0.0/16"))
        self.tasks.append(asyncio.ensure_future(run_controllers(context)))
        self.has_controllers = True

    async def settle(self, seconds: float = _SETTLE_SECONDS) -> None:
        """Lets controllers do what they have to, in virtual time."""
        await asyncio.sleep(seconds)

    async def send(self, method: str, path: str, body: Any = None, *, user: str = "admin", **headers: str) -> Response:
        sent = {"authorization": f"Bearer {user}-token", "content-type": "application/json", "user-agent": "oracle/1.0"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = b"" if body is None else self.bindings.fill(json.dumps(body)).encode()
        path, _, query = path.partition("?")
        pairs = tuple((name, value) for name, _, value in (part.partition("=") for part in query.split("&") if part))
        return await self.api.handle(Request(method, path, pairs, sent, content))

    async def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The parsed answer; AssertionError when it is a failure: a set-up has to work."""
        response = await self.send(method, path, body)
        assert response.status < 300, f"{method} {path}: {response.status} {response.body[:600]!r}"
        answer: dict[str, Any] = json.loads(response.body)
        return answer

    async def exists(self, path: str) -> bool:
        return (await self.send("GET", path)).status == 200

    async def namespace(self, name: str) -> None:
        """A namespace with its default service account."""
        if not await self.exists(f"/api/v1/namespaces/{name}"):
            await self.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        account = f"/api/v1/namespaces/{name}/serviceaccounts"
        if not self.has_controllers and not await self.exists(f"{account}/default"):
            await self.call("POST", account, {"metadata": {"name": "default"}})

    async def create(self, obj: dict[str, Any], shown_later: bool = False) -> dict[str, Any]:
        """Makes an object from its manifest or from a recorded answer, with the status that it shows.

        `shown_later`: the answer is that of a change, so that the revision in it is not this one.
        """
        collection = path_of(obj)
        if namespace := obj["metadata"].get("namespace"):
            await self.namespace(namespace)
        made = await self.call("POST", collection, manifest_of(obj))
        if obj["kind"] != "Namespace":
            path = f"{collection}/{made['metadata']['name']}/status"
            for manager, status in statuses_of(obj):
                agent = {"user_agent": f"{manager}/v1"}
                response = await self.send("PUT", path, {**made, "status": without_placeholders(status)}, **agent)
                if response.status == 200:
                    made = json.loads(response.body)
        self.learn(obj, made, shown_later)
        return made

    async def replay_creates(self, *scenarios: str) -> None:
        """Makes what the POSTs of other scenarios made (the recorded server was one for all); refusals are ignored."""
        paths = [path for name in scenarios for path in sorted(ORACLE.glob(f"{name}.json"))]
        for step in (step for path in paths for step in steps(path)):
            if step.request["method"] == "POST" and step.response["status"] == 201 and not step.request.get("query"):
                if match := _NAMESPACED.search(step.request["path"]):
                    await self.namespace(match.group(1))
                await self.send("POST", step.request["path"], _body_to_send(step))

    def learn(self, wanted: dict[str, Any], made: dict[str, Any], shown_later: bool) -> None:
        """Binds the placeholders of an object's identity."""
        for name in ("uid", "name") if shown_later else ("uid", "name", "resourceVersion"):
            text = wanted["metadata"].get(name)
            if text and made["metadata"].get(name):
                self.bindings.matches(text, made["metadata"][name])

    def bind(self, placeholder: str, value: Any) -> None:
        self.bindings.values[placeholder] = str(value)

    @property
    def revision(self) -> int:
        return self.store.revision


def _body_to_send(step: Step) -> Any:
    body = step.request.get("body")
    return body if isinstance(body, dict) else None


def path_of(obj: dict[str, Any]) -> str:
    """The path of the collection that an object belongs to."""
    kind = find_kind(obj["apiVersion"], obj["kind"])
    if kind is None:
        raise LookupError(f"no kind {obj['apiVersion']} {obj['kind']}")
    return kind.path(obj["metadata"].get("namespace"))


def manifest_of(obj: dict[str, Any]) -> dict[str, Any]:
    """What a client would have sent to make an object that an answer shows."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in _SERVER_METADATA}
    if "<suffix" in metadata.get("name", ""):
        del metadata["name"]
    given = {**obj, "metadata": metadata}
    entries = obj["metadata"].get("managedFields", [])
    if own := [entry["fieldsV1"] for entry in entries if entry["manager"] == "oracle" and "subresource" not in entry]:
        named = {key: metadata[key] for key in ("name", "generateName", "namespace") if key in metadata}
        parts = [owned(given, fields) for fields in own]
        given = {key: obj[key] for key in ("apiVersion", "kind")}
        given |= {key: value for part in parts for key, value in part.items()}
        given["metadata"] = {**given.get("metadata", {}), **named}
    elif "finalizers" in metadata:
        # Those of propagation policies come with the deletion.
        metadata["finalizers"] = [name for name in metadata["finalizers"] if "/" in name]
    result: dict[str, Any] = without_placeholders(given)
    if obj["kind"] != "Namespace":
        result.pop("status", None)
    if obj["kind"] == "Pod":
        _without_token_volume(result["spec"])
    return result


def statuses_of(obj: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Who has written the status, and what, in that order; everything by the client where nothing says who."""
    status = obj.get("status")
    if not status:
        return []
    entries = obj["metadata"].get("managedFields")
    if entries is None:
        return [("oracle", status)]
    fields = [(entry["manager"], entry["fieldsV1"]) for entry in entries if entry.get("subresource") == "status"]
    return [(manager, owned({"status": status}, found).get("status", {})) for manager, found in fields]


def owned(value: Any, fields: dict[str, Any]) -> Any:
    """The part of a JSON value that a set of fields (`fieldsV1`) names."""
    inner = {key: child for key, child in fields.items() if key != "."}
    if not inner:
        return value
    if isinstance(value, dict):
        names = ((key[2:], child) for key, child in inner.items() if key.startswith("f:"))
        return {name: owned(value[name], child) for name, child in names if name in value}
    result = []
    for key, child in inner.items():
        wanted = json.loads(key[2:])
        if key.startswith("v:"):
            result.append(wanted)
        elif key.startswith("k:"):
            result += [owned(item, child) for item in value if wanted.items() <= _scalars(item).items()]
    return result


def _scalars(item: dict[str, Any]) -> dict[str, Any]:
    return {key: child for key, child in item.items() if not isinstance(child, dict | list)}


def _without_token_volume(spec: dict[str, Any]) -> None:
    spec["volumes"] = [v for v in spec.get("volumes", []) if not v["name"].startswith("kube-api-access-")]
    for container in (*spec.get("containers", []), *spec.get("initContainers", [])):
        mounts = container.get("volumeMounts", [])
        container["volumeMounts"] = [m for m in mounts if not m["name"].startswith("kube-api-access-")]


def without_placeholders(value: Any) -> Any:
    """A copy of a JSON value in which what differs from server to server is left out; times become a time."""
    if isinstance(value, dict):
        cleaned = {key: without_placeholders(item) for key, item in value.items()}
        return {key: item for key, item in cleaned.items() if item is not None}
    if isinstance(value, list):
        return [item for item in map(without_placeholders, value) if item is not None]
    if value == "<time>":
        return "2030-01-01T00:00:00Z"
    if isinstance(value, str) and value.startswith(("<clusterIP:", "<nodePort:", "<uid:", "<rv:")):
        return None
    return value
