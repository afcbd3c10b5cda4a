"""An API server, put together: a store and options go in, one `handle(Request) -> Response` comes out.

No sockets here: `server.py` puts it on the network, the in-process transport calls it directly.
"""

from __future__ import annotations

import asyncio
import logging
from itertools import groupby

from pybernetes.api.kinds import kind_of
from pybernetes.api.objects import ApiObject
from pybernetes.api.types import core_v1, rbac_v1
from pybernetes.api.wire import Request, Response
from pybernetes.apiserver.admission import Plugin
from pybernetes.apiserver.admission_chain import AdmissionChain
from pybernetes.apiserver.admission_plugins.order import default_plugins
from pybernetes.apiserver.aggregation.api_services import ApiServices
from pybernetes.apiserver.allocation.addresses import Addresses
from pybernetes.apiserver.allocation.node_ports import NodePorts
from pybernetes.apiserver.allocation.ranges import family_of
from pybernetes.apiserver.allocation.repair import AllocationRepair
from pybernetes.apiserver.allocation.services import ServiceAllocator
from pybernetes.apiserver.bootstrap.default_rbac import node_rules
from pybernetes.apiserver.bootstrap.default_service_cidr import DefaultServiceCIDR
from pybernetes.apiserver.bootstrap.kubernetes_service import withdrawn
from pybernetes.apiserver.bootstrap.objects import BootstrapOptions, bootstrap_objects, reconciled
from pybernetes.apiserver.commands import Commands
from pybernetes.apiserver.component_statuses import ComponentStatuses
from pybernetes.apiserver.connect.answers import connect_answers
from pybernetes.apiserver.connect.node_connection import NodeConnection, NoNodes
from pybernetes.apiserver.custom.answering import CustomAnswers
from pybernetes.apiserver.custom.definitions import Definitions
from pybernetes.apiserver.custom.resources import CustomResources
from pybernetes.apiserver.custom.scale import CustomReplicas
from pybernetes.apiserver.diagnostics.endpoints import Diagnostics
from pybernetes.apiserver.diagnostics.health import Health, StoreCheck
from pybernetes.apiserver.diagnostics.metrics import Metrics
from pybernetes.apiserver.documents import ApiDocuments, version
from pybernetes.apiserver.field_management.tracking import Updates
from pybernetes.apiserver.in_flight import InFlight
from pybernetes.apiserver.intents import Aspect, Intent
from pybernetes.apiserver.legacy_token_tracking import LegacyTokenTracking
from pybernetes.apiserver.lifecycle import Lifecycle
from pybernetes.apiserver.options import ApiServerOptions
from pybernetes.apiserver.pipeline import Answer, Pipeline, Stages
from pybernetes.apiserver.quota_ledger import QuotaLedger
from pybernetes.apiserver.reads import Reads
from pybernetes.apiserver.registry import Registry
from pybernetes.apiserver.request import ITSELF
from pybernetes.apiserver.reviewing import review_answers
from pybernetes.apiserver.stages.authentication import (
    Authenticator,
    BootstrapTokens,
    ServiceAccountTokens,
    StaticTokens,
)
from pybernetes.apiserver.stages.authorization import Authorizer
from pybernetes.apiserver.stages.service_account_tokens import TokenIssuer
from pybernetes.apiserver.subresources.binding import BindingSubresource
from pybernetes.apiserver.subresources.eviction import EvictionSubresource
from pybernetes.apiserver.subresources.scale import ScaleSubresource
from pybernetes.apiserver.subresources.token import TokenSubresource
from pybernetes.apiserver.subresources.workload_replicas import WorkloadReplicas
from pybernetes.apiserver.watching.watches import Watches
from pybernetes.apiserver.witness import Witness
from pybernetes.apiserver.writer import Writer
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import Clock
from pybernetes.store.contract import Store

_log = logging.getLogger(__name__)
_RBAC_KINDS = (rbac_v1.Role, rbac_v1.ClusterRole, rbac_v1.RoleBinding, rbac_v1.ClusterRoleBinding)
_SCALED = ("deployments", "replicasets", "statefulsets", "replicationcontrollers")
_COMPACTION_SECONDS = 300.0


class ApiServer:
    """Answers requests from a store. Make one with `start`."""

    def __init__(
        self, options: ApiServerOptions, store: Store, clock: Clock, chance: Chance, nodes: NodeConnection
    ) -> None:
        self._options = options
        self._store = store
        self.registry = Registry(store)
        self.issuer = TokenIssuer(options.service_account_key, options.service_account_issuer, clock, chance)
        self._tracking = LegacyTokenTracking(clock)
        self.authenticator = self._authenticator(clock)
        self.authorizer = Authorizer(self.registry, options.authorization_modes, node_rules=node_rules())
        for type_ in _RBAC_KINDS:
            self.registry.collection(kind_of(type_)).listen(lambda _changes: self.authorizer.invalidate())
        witness = Witness(self.registry)
        quotas = QuotaLedger(clock)
        plugins: tuple[Plugin, ...] = default_plugins(
            witness, self.authorizer, chance, options.enable_admission, options.disable_admission, quotas
        )
        self.metrics = Metrics(clock.monotonic)
        chain = AdmissionChain(plugins, self.metrics)
        self.writer = Writer(self.registry, witness, chain, self.metrics, clock, chance)
        self.writer.event_seconds = options.event_ttl
        quotas.writer = self._tracking.writer = self.writer
        self._allocations = self._allocating(chance)
        self._default_cidr = DefaultServiceCIDR(self.writer, tuple(map(str, options.service_networks)))
        self._watches = Watches(self.registry, clock, chance, self.metrics)
        self._watches.length_min = options.min_request_timeout
        reads = Reads(self.registry, clock)
        commands = Commands(self.writer, reads, self.authorizer.require)
        self.lifecycle = Lifecycle(options.shutdown_send_retry_after)
        self.writes = InFlight(options.max_mutating_requests_inflight, options.request_timeout, clock.monotonic)
        self.metrics.mutating_peak = self.writes.peak
        address = f"{options.advertise_address}:{options.secure_port}"
        self.documents = ApiDocuments(self.issuer, clock, self._diagnostics(clock), address=address)
        components = ComponentStatuses(nodes, StoreCheck(store), clock)
        self.extra: dict[tuple[str, str, str], Answer] = {
            **self._extra(commands),
            **connect_answers(self.registry, chain, nodes, chance),
            ("componentstatuses", "", "get"): components.get,
            ("componentstatuses", "", "list"): components.listing,
        }
        custom = CustomResources(self.registry, self.documents.serve)
        self._services = ApiServices(self.writer, commands.deletion, lambda: custom.kinds)
        self._definitions = Definitions(self.writer, commands.deletion, custom, self._services.settle)
        self._pipeline = Pipeline(
            Stages(
                authenticator=self.authenticator,
                authorizer=self.authorizer,
                reads=reads,
                watches=self._watches,
                commands=commands,
                documents=self.documents,
                metrics=self.metrics,
                writes=self.writes,
                lifecycle=self.lifecycle,
                extra=self.extra,
                custom=CustomAnswers(custom, self._definitions, ScaleSubresource(self.writer, CustomReplicas())),
            )
        )

    @classmethod
    async def start(
        cls, options: ApiServerOptions, store: Store, clock: Clock, chance: Chance, nodes: NodeConnection | None = None
    ) -> ApiServer:
        """An API server whose start-up objects exist; without `nodes` it has no way to its kubelets."""
        server = cls(options, store, clock, chance, nodes or NoNodes())
        await server._bootstrap()
        await server._default_cidr.settle()
        # A store that was written by a server before this one may lack addresses, which must not be given out again.
        await server._allocations.run_once()
        await server._definitions.settle()
        return server

    async def handle(self, request: Request) -> Response:
        """The response to a request; never raises but for cancellation."""
        return await self._pipeline.handle(request)

    async def run(self) -> None:
        """Keeps what works on its own going, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._compact(), name="compaction")
            tasks.create_task(self._definitions.run(), name="definitions")
            tasks.create_task(self._services.run(), name="APIServices")
            tasks.create_task(self._allocations.run(), name="allocations")
            tasks.create_task(self._default_cidr.run(), name="default ServiceCIDR")
            tasks.create_task(self._tracking.run(), name="legacy tokens")

    async def _compact(self) -> None:
        """Compacts the store's history now and then: upstream's five minutes."""
        while True:
            before = self._store.revision
            await asyncio.sleep(_COMPACTION_SECONDS)
            if before > self._store.compacted:
                await self._store.compact(before)

    async def withdraw(self) -> None:
        """Takes this server out of the endpoints of the Service kubernetes; the next start puts it back."""
        for nobody in withdrawn(self._options.advertise_address, self._options.secure_port):
            await self._ensure(nobody)

    async def end_watches(self, seconds: float) -> None:
        """Ends all watches cleanly; returns when they have ended, or after `seconds`."""
        await self._watches.end(seconds)

    def close(self) -> None:
        """Ends all watches; requests are answered no more."""
        self._watches.close()
        self.registry.close()

    def _diagnostics(self, clock: Clock) -> Diagnostics:
        health = Health(StoreCheck(self._store), self.registry.check, self.lifecycle.check, self.metrics.check)
        found = Diagnostics(health, self.metrics, self.registry, version(), clock)
        found.flags, found.profiling = self._options.flags, self._options.profiling
        return found

    def _authenticator(self, clock: Clock) -> Authenticator:
        return Authenticator(
            StaticTokens(self._options.tokens),
            ServiceAccountTokens(self.issuer, self.registry, self._tracking.used),
            BootstrapTokens(clock, self.registry),
            clock=clock,
            audiences=self.issuer.audiences,
            anonymous=self._options.anonymous,
        )

    def _allocating(self, chance: Chance) -> AllocationRepair:
        """Has the writer give Services their addresses and ports; what comes back looks after those."""
        options = self._options
        addresses, ports = Addresses(self.writer), NodePorts(options.service_node_port_range, chance, self.registry)
        families = [family_of(network) for network in options.service_networks]
        self.writer.allocators[core_v1.Service] = ServiceAllocator(self.writer, addresses, ports, families)
        return AllocationRepair(self.writer, addresses, ports)

    def _extra(self, commands: Commands) -> dict[tuple[str, str, str], Answer]:
        binding = BindingSubresource(self.writer)
        scale = ScaleSubresource(self.writer, WorkloadReplicas())
        eviction = EvictionSubresource(self.writer, commands.deletion)
        answers: dict[tuple[str, str, str], Answer] = {
            ("pods", "binding", "create"): binding.create,
            ("bindings", "", "create"): binding.create,
            ("pods", "eviction", "create"): eviction.create,
            ("serviceaccounts", "token", "create"): TokenSubresource(self.writer, self.issuer).create,
            **review_answers(self.authorizer, self.authenticator, self.writer),
        }
        for resource in _SCALED:
            for verb in ("get", "update", "patch"):
                answers[resource, "scale", verb] = scale.answer
        return answers

    async def _bootstrap(self) -> None:
        """Makes sure of the objects that a cluster begins with."""
        options = self._options
        wanted = bootstrap_objects(
            BootstrapOptions(
                tuple(map(str, options.service_networks)),
                options.advertise_address,
                options.secure_port,
                options.client_ca,
                "RBAC" in options.authorization_modes,
            )
        )
        # Kind after kind, since later ones may need earlier ones; those of one kind share the store's commits.
        for _type, alike in groupby(wanted, key=type):
            await asyncio.gather(*(self._ensure(obj) for obj in alike))

    async def _ensure(self, wanted: ApiObject) -> None:
        kind = kind_of(type(wanted))
        name, namespace = wanted.metadata.name or "", wanted.metadata.namespace or ""
        intent = Intent(kind, ITSELF, namespace, name, tracker=Updates(kind, "kube-apiserver"))
        collection = self.registry.collection(kind)
        entry = collection.get(namespace, name)
        result = reconciled(entry.private() if entry is not None else None, wanted)
        if result is None:
            return
        collection.form.strategy.default(result)
        if entry is not None and result is wanted:
            await self.writer.remove_entry(collection, intent, entry)
            entry = None
        if entry is None:
            await self.writer.create(intent, result)
        else:
            strategy = collection.form.strategy
            await self.writer.modify(
                intent, lambda _entry: result, Aspect(strategy.prepare_update, strategy.validate_update)
            )
