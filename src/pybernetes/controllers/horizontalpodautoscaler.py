"""The horizontal pod autoscaler: keeps targets within their bounds through the scale sub-resource, and tells its state.

`autoscaling_decision` decides; every autoscaler is looked at when it changes and every 15 seconds, as upstream.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

import msgspec

from pybernetes.api import time as api_time
from pybernetes.api.objects import copy, encode
from pybernetes.api.status import StatusError
from pybernetes.api.types.autoscaling_v1 import Scale
from pybernetes.api.types.autoscaling_v2 import HorizontalPodAutoscaler, MetricStatus
from pybernetes.controllers.autoscaling_decision import (
    GOT_SCALE,
    Said,
    ScalePlan,
    decide,
    no_scale,
    not_rescaled,
    rescaled,
    with_conditions,
)
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController
from pybernetes.controllers.kind_lookup import look_up
from pybernetes.reconcile import key_of, split_key

log = logging.getLogger(__name__)

SYNC_SECONDS = 15.0


class HorizontalPodAutoscalerController(KeyedController):
    """`horizontal-pod-autoscaler-controller`."""

    name = "horizontal-pod-autoscaler-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._recorder = context.recorders.of("horizontal-pod-autoscaler")
        self._autoscalers = self.informer(HorizontalPodAutoscaler)
        self._autoscalers.on_change(self._changed)

    def _changed(self, old: HorizontalPodAutoscaler | None, new: HorizontalPodAutoscaler | None) -> None:
        # Its own words in the status are no reason to look again before the time.
        if new is not None and (old is None or old.spec != new.spec):
            self.enqueue(new)

    async def reconcile(self, key: str) -> float | None:
        autoscaler = self._autoscalers.cache.get(*split_key(key))
        if autoscaler is None or autoscaler.metadata.deletion_timestamp is not None:
            return None
        try:
            path = await self._scale_path(autoscaler)
            scale = msgspec.json.decode((await self.client.raw("GET", path)).body, type=Scale)
        except (StatusError, LookupError) as error:
            text = str(error.args[0]) if isinstance(error, LookupError) else str(error)
            self._recorder.event(autoscaler, "Warning", "FailedGetScale", text)
            await self._tell(autoscaler, (no_scale(text),))
            return SYNC_SECONDS
        plan = decide(autoscaler.spec, scale.spec.replicas or 0, scale.status.selector or "")
        await self._carry_out(autoscaler, path, scale, plan)
        return SYNC_SECONDS

    async def _scale_path(self, autoscaler: HorizontalPodAutoscaler) -> str:
        """Where the target's scale is; LookupError when its kind is not served."""
        target = autoscaler.spec.scale_target_ref
        kind = await look_up(self.client, target.api_version or "v1", target.kind)
        if kind is None:
            group = (target.api_version or "").rpartition("/")[0]
            raise LookupError(f'no matches for kind "{target.kind}" in group "{group}"')
        return kind.path(autoscaler.metadata.namespace, target.name, "scale")

    async def _carry_out(self, autoscaler: HorizontalPodAutoscaler, path: str, scale: Scale, plan: ScalePlan) -> None:
        current = scale.spec.replicas or 0
        for reason, message in plan.warnings:
            self._recorder.event(autoscaler, "Warning", reason, message)
        said: tuple[Said, ...] = (GOT_SCALE, *plan.conditions)
        if plan.rescale:
            size = f"New size: {plan.desired}; reason: {plan.rescale}"
            scale.spec.replicas = plan.desired
            try:
                await self.client.raw("PUT", path, body=encode(scale))
            except StatusError as error:
                self._recorder.event(autoscaler, "Warning", "FailedRescale", f"{size}; error: {error}")
                await self._tell(autoscaler, (*said, not_rescaled(str(error))), current)
                return
            self._recorder.event(autoscaler, "Normal", "SuccessfulRescale", size)
            log.info("autoscaler %s: %d -> %d: %s", key_of(autoscaler), current, plan.desired, plan.rescale)
            said = (*said, rescaled(plan.desired))
        await self._tell(autoscaler, said, current, plan)

    async def _tell(
        self,
        autoscaler: HorizontalPodAutoscaler,
        said: Iterable[Said],
        current: int | None = None,
        plan: ScalePlan | None = None,
    ) -> None:
        changed, now = copy(autoscaler), self.clock.now()
        status = changed.status
        status.conditions = with_conditions(status.conditions, said, now)
        if current is not None:
            status.current_replicas = current
        if plan is not None and plan.is_measured:
            status.desired_replicas, status.current_metrics = plan.desired, []
        elif plan is not None:
            # Upstream shows a place for every metric, with nothing in it.
            status.current_metrics = [MetricStatus() for _ in autoscaler.spec.metrics]
        if plan is not None and plan.rescale:
            status.last_scale_time = api_time.format(now)
        if status == autoscaler.status:
            return
        try:
            await self.client.update_status(changed)
        except StatusError as error:
            if error.code != 404:
                raise
