"""The ServiceCIDR `kubernetes` and the flags."""

from __future__ import annotations

import msgspec
import pytest

from pybernetes.api.types.networking_v1 import ServiceCIDR
from pybernetes.apiserver.bootstrap.default_service_cidr import step

CIDR = "/apis/networking.k8s.io/v1/servicecidrs/kubernetes"
ONE, BOTH = ("10.96.0.0/16",), ("10.96.0.0/16", "fd00::/112")


def stored(*cidrs: str, ready: str = "", **metadata: str) -> ServiceCIDR:
    conditions = [{"type": "Ready", "status": ready, "lastTransitionTime": "2026-01-01T00:00:00Z"}] if ready else []
    document = {"metadata": metadata, "spec": {"cidrs": cidrs}, "status": {"conditions": conditions}}
    return msgspec.convert(document, ServiceCIDR)


@pytest.mark.parametrize(
    ("before", "cidrs", "wanted"),
    [
        (None, ONE, "create"),
        (stored(*ONE), ONE, "ready"),
        (stored(*ONE, ready="True"), ONE, ""),
        (stored(*ONE, ready="False"), ONE, ""),
        (stored(*ONE, ready="True"), BOTH, "extend"),
        (stored("10.1.0.0/16", ready="True"), ONE, "differs"),
        (stored(*ONE, deletionTimestamp="2026-01-01T00:00:00Z"), ONE, ""),
    ],
)
def test_steps(before, cidrs, wanted):
    assert step(before, cidrs) == wanted


async def test_it_is_ready_from_the_start(call):
    _, found = await call("GET", CIDR)
    ready = found["status"]["conditions"][0]
    assert (ready["type"], ready["status"]) == ("Ready", "True")
    managers = [(entry["manager"], entry["operation"]) for entry in found["metadata"]["managedFields"]]
    assert managers == [("kubernetes-service-cidr-controller", "Apply"), ("kube-apiserver", "Update")]


async def test_it_comes_back(call, api):
    await call("DELETE", CIDR)
    await api._default_cidr.settle()
    code, found = await call("GET", CIDR)
    assert code == 200 and found["status"]["conditions"]
