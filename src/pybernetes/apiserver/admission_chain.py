"""The admission plug-ins in their order: the writer and the handlers of CONNECT hand in a request, each one is asked.

Both halves are timed. The first StatusError ends a half; nothing is undone, since a request's object is its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pybernetes.api.kind import Kind
from pybernetes.api.status import StatusError
from pybernetes.apiserver.admission import AdmissionRequest, Plugin
from pybernetes.apiserver.admission_plugins.bystander import Bystander
from pybernetes.apiserver.diagnostics.metrics import Metrics
from pybernetes.apiserver.diagnostics.series import AdmissionCall


class AdmissionChain:
    """All plug-ins of a server."""

    def __init__(self, plugins: Sequence[Plugin], metrics: Metrics) -> None:
        self._metrics = metrics
        # Most plug-ins take part in one half only; asking the others would be the larger part of a write's admission.
        self._mutating = [plugin for plugin in plugins if _takes_part(plugin, "admit")]
        self._validating = [plugin for plugin in plugins if _takes_part(plugin, "validate")]
        # By group resource: those that may want to see its writes.
        self._concerned: dict[str, tuple[list[Plugin], list[Plugin]]] = {}

    async def admit(self, request: AdmissionRequest) -> None:
        """The mutating half, twice when a policy has changed the object."""
        with self._metrics.admission_step(request.operation, "admit"):
            await self._admit_once(request)
            if request.is_changed_by_policy:
                request.is_second_round = True
                await self._admit_once(request)

    async def validate(self, request: AdmissionRequest) -> None:
        """The validating half."""
        with self._metrics.admission_step(request.operation, "validate"):
            began = self._metrics.seconds()
            for plugin in _wanting(self._of(request.kind)[1], request):
                try:
                    await plugin.validate(request)
                except StatusError:
                    self._metrics.admitted((plugin.name, request.operation, "validate"), began, rejected=True)
                    raise
                began = self._metrics.admitted((plugin.name, request.operation, "validate"), began)

    def calls(self, request: AdmissionRequest) -> tuple[AdmissionCall, ...]:
        """How the metrics name all who are asked about a request like this one."""
        halves = zip(("admit", "validate"), self._of(request.kind), strict=True)
        return tuple(
            (name, request.operation, half)
            for half, plugins in halves
            for name in ("", *(plugin.name for plugin in plugins if plugin.handles(request)))
        )

    async def _admit_once(self, request: AdmissionRequest) -> None:
        began = self._metrics.seconds()
        for plugin in _wanting(self._of(request.kind)[0], request):
            try:
                await plugin.admit(request)
            except StatusError:
                self._metrics.admitted((plugin.name, request.operation, "admit"), began, rejected=True)
                raise
            began = self._metrics.admitted((plugin.name, request.operation, "admit"), began)

    def _of(self, kind: Kind) -> tuple[list[Plugin], list[Plugin]]:
        """Those of both halves that may want to see writes of a kind."""
        resource = kind.group_resource
        found = self._concerned.get(resource)
        if found is None:
            found = (
                [plugin for plugin in self._mutating if _is_concerned(plugin, resource)],
                [plugin for plugin in self._validating if _is_concerned(plugin, resource)],
            )
            self._concerned[resource] = found
        return found


def _wanting(plugins: Iterable[Plugin], request: AdmissionRequest) -> Iterator[Plugin]:
    """Those that want to see a write. What one of them does may be about this write only: then none is like it."""
    for plugin in plugins:
        if plugin.handles(request):
            if not plugin.repeats:
                request.unique = True
            yield plugin


def _takes_part(plugin: Plugin, half: str) -> bool:
    return getattr(type(plugin), half) is not getattr(Bystander, half)


def _is_concerned(plugin: Plugin, resource: str) -> bool:
    resources: frozenset[str] = getattr(plugin, "resources", frozenset())
    return not resources or resource in resources
