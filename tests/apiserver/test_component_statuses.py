"""componentstatuses, as the components behind them answer."""

from __future__ import annotations

from pybernetes.api.wire import Request, Response
from pybernetes.apiserver.apiserver import ApiServer
from pybernetes.apiserver.connect.node_connection import Backend, Call, Unreachable, Upgraded
from pybernetes.apiserver.options import ApiServerOptions
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import SystemClock
from pybernetes.store.embedded import EmbeddedStore
from tests.apiserver.conftest import TOKENS, Caller


class Machine:
    """A machine on which only the scheduler listens."""

    async def request(self, backend: Backend, call: Call) -> Response:
        assert call.target == "/healthz"
        if backend.port != 10259:
            raise Unreachable(f"dial tcp {backend.authority}: connect: connection refused")
        return Response(200, body=b"ok")

    async def upgrade(self, backend: Backend, call: Call) -> Upgraded | Response:
        raise AssertionError(Request)


async def test_components_are_asked(service_account_key):
    clock = SystemClock()
    store = await EmbeddedStore.open(None, clock)
    api = await ApiServer.start(
        ApiServerOptions(service_account_key, tokens=TOKENS), store, clock, Chance(1), Machine()
    )
    call = Caller(api)
    _, answer = await call("GET", "/api/v1/componentstatuses")
    conditions = {item["metadata"]["name"]: item["conditions"][0] for item in answer["items"]}
    assert conditions["scheduler"] == {"type": "Healthy", "status": "True", "message": "ok"}
    assert conditions["etcd-0"]["status"] == "True"
    assert conditions["controller-manager"] == {
        "type": "Healthy",
        "status": "False",
        "message": 'Get "https://127.0.0.1:10257/healthz": dial tcp 127.0.0.1:10257: connect: connection refused',
    }
    code, one = await call("GET", "/api/v1/componentstatuses/etcd-0")
    assert (code, one["kind"], one["metadata"]["name"]) == (200, "ComponentStatus", "etcd-0")
    assert (await call("GET", "/api/v1/componentstatuses/x"))[0] == 404
    _, answer = await call("GET", "/api/v1/componentstatuses?fieldSelector=metadata.name%3Dscheduler")
    assert len(answer["items"]) == 1
    api.close()
    await store.close()
