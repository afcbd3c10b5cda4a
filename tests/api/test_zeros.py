"""Zeros that were sent for fields that Go keeps by value are as good as absent; those of pointers stay."""

from __future__ import annotations

import msgspec
import pytest

from pybernetes.api.encoding import decode, from_value
from pybernetes.api.types.apps_v1 import Deployment
from pybernetes.api.types.core_v1 import Pod


def pod(spec: str) -> Pod:
    return decode(b'{"spec":' + spec.encode() + b"}", "application/json", Pod).object


@pytest.mark.parametrize("spec", ['{"hostNetwork":false}', '{"hostNetwork" : false , "hostPID":false}', "{}"])
def test_zeros_of_values_are_left_out(spec: str) -> None:
    assert msgspec.json.encode(pod(spec).spec) == b"{}"


def test_zeros_of_pointers_are_kept() -> None:
    spec = pod('{"automountServiceAccountToken":false,"terminationGracePeriodSeconds":0}').spec
    assert (spec.automount_service_account_token, spec.termination_grace_period_seconds) == (False, 0)


def test_zeros_deep_inside_are_left_out() -> None:
    spec = pod('{"containers":[{"name":"c","tty":false,"ports":[{"containerPort":1,"hostPort":0}]}]}').spec
    assert spec.containers[0].tty is None
    assert spec.containers[0].ports[0].host_port is None


def test_patched_document_is_treated_alike() -> None:
    deployment = from_value({"spec": {"minReadySeconds": 0, "replicas": 0}}, Deployment).object
    assert deployment.spec is not None
    assert (deployment.spec.min_ready_seconds, deployment.spec.replicas) == (None, 0)
