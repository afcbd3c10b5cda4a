"""Strategies of LimitRanges and ResourceQuotas."""

from __future__ import annotations

from pybernetes.api.types.core_v1 import LimitRange, LimitRangeItem, ResourceQuota
from pybernetes.apiserver.resources.amounts import canonicalize
from pybernetes.apiserver.resources.prepare import clear_status, keep_generation, keep_status, only_status
from pybernetes.apiserver.resources.strategy import Strategy


def _default_limit_range(limit_range: LimitRange) -> None:
    """For containers the maximum is the default limit, and that (or else the minimum) the default request."""
    for item in limit_range.spec.limits:
        if item.type == "Container":
            _default_item(item)
        for amounts in (item.default, item.default_request, item.max, item.max_limit_request_ratio, item.min):
            canonicalize(amounts)


def _default_item(item: LimitRangeItem) -> None:
    item.default = {**item.max, **item.default}
    item.default_request = {**item.min, **item.default, **item.default_request}


def _default_resource_quota(quota: ResourceQuota) -> None:
    for amounts in (quota.spec.hard, quota.status.hard, quota.status.used):
        canonicalize(amounts)


LIMIT_RANGE = Strategy(default=_default_limit_range, prepare_update=keep_generation, creates_on_update=True)
RESOURCE_QUOTA = Strategy(
    default=_default_resource_quota,
    prepare_create=clear_status,
    prepare_update=keep_status,
    prepare_status=only_status,
    returns_deleted=True,
)
