"""componentstatuses: how scheduler, controller manager and store are, asked anew for every request.

A get or list comes in; each component is asked for its health, by HTTPS on the machine's loopback where upstream's
listen, and answers as objects that are stored nowhere go out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

from pybernetes.api.kinds import kind_of
from pybernetes.api.objects import encode
from pybernetes.api.status import not_found
from pybernetes.api.types.core_v1 import ComponentCondition, ComponentStatus
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.api.wire import Response
from pybernetes.apiserver.connect.node_connection import Backend, Call, NodeConnection, Unreachable
from pybernetes.apiserver.diagnostics.health import Check
from pybernetes.apiserver.entry import Entry, Form
from pybernetes.apiserver.negotiation import negotiate
from pybernetes.apiserver.rendering import rendering_of
from pybernetes.apiserver.request import Authenticated
from pybernetes.apiserver.selection import selection_of
from pybernetes.environment.clock import Clock
from pybernetes.store.contract import KeyValue

_KIND = kind_of(ComponentStatus)
_SECONDS = 20.0
_LONGEST = 1024
_NO_CACHE = {"cache-control": "no-cache, private"}
# The secure ports of upstream's components.
_SCHEDULER = Backend("https", "127.0.0.1", 10259)
_CONTROLLER_MANAGER = Backend("https", "127.0.0.1", 10257)


@dataclass(frozen=True, slots=True)
class Found:
    """What a component said; a `failure` means that it said nothing."""

    is_well: bool
    message: str = ""
    failure: str = ""


Probe = Callable[[], Awaitable[Found]]


def component_status(name: str, found: Found) -> ComponentStatus:
    """The object that shows what was found. Pure."""
    condition = ComponentCondition(type="Healthy", status="True" if found.is_well else "False")
    condition.message, condition.error = found.message or None, found.failure or None
    return ComponentStatus(metadata=ObjectMeta(name=name), conditions=[condition])


class ComponentStatuses:
    """Answers get and list of componentstatuses."""

    def __init__(self, nodes: NodeConnection, store: Check, clock: Clock) -> None:
        self._nodes = nodes
        self._store = store
        self._clock = clock
        self._form = Form(_KIND)
        # In the order in which upstream lists them, but for chance.
        self._probes: dict[str, Probe] = {
            "scheduler": lambda: self._ask(_SCHEDULER),
            "etcd-0": self._ask_store,
            "controller-manager": lambda: self._ask(_CONTROLLER_MANAGER),
        }

    async def get(self, asked: Authenticated) -> Response:
        """One component; 404 for a name that none has."""
        name = asked.info.name
        if name not in self._probes:
            raise not_found(_KIND, name)
        rendering = rendering_of(
            _KIND, negotiate(asked.request, _KIND), self._clock, asked.request.parameter("includeObject")
        )
        body = rendering.single(await self._entry(name))
        return Response(200, {"content-type": rendering.content_type, **_NO_CACHE}, body)

    async def listing(self, asked: Authenticated) -> Response:
        """All components that the request selects."""
        selection = selection_of(asked.request, asked.info)
        rendering = rendering_of(
            _KIND, negotiate(asked.request, _KIND), self._clock, asked.request.parameter("includeObject")
        )
        entries = await asyncio.gather(*map(self._entry, self._probes))
        body = rendering.listing([entry for entry in entries if selection.matches(entry)], {})
        return Response(200, {"content-type": rendering.content_type, **_NO_CACHE}, body)

    async def _entry(self, name: str) -> Entry:
        obj = component_status(name, await self._probes[name]())
        return Entry(self._form, KeyValue(f"/{name}", encode(obj), 0, 0), obj)

    async def _ask(self, backend: Backend) -> Found:
        try:
            async with asyncio.timeout(_SECONDS):
                answer = await self._nodes.request(backend, Call("GET", "/healthz", {"connection": "close"}))
                text = (await _text(answer)).strip()
        except TimeoutError:
            return Found(False, f'Get "{backend.url("/healthz")}": context deadline exceeded')
        except (Unreachable, OSError) as error:
            return Found(False, f'Get "{backend.url("/healthz")}": {error}')
        return Found(answer.status == 200, text)

    async def _ask_store(self) -> Found:
        failure = await self._store()
        return Found(True, "ok") if failure is None else Found(False, failure)


async def _text(answer: Response) -> str:
    """The beginning of an answer's body."""
    body = answer.body
    if answer.stream is not None:
        async with aclosing(cast(AsyncGenerator[bytes], answer.stream)) as chunks:
            async for chunk in chunks:
                body += chunk
                if len(body) > _LONGEST:
                    break
    return body[:_LONGEST].decode(errors="replace")
