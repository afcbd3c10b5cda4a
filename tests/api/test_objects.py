from __future__ import annotations

from pybernetes.api import objects
from pybernetes.api.types.core_v1 import Container, Pod, PodSpec, Secret
from pybernetes.api.types.meta_v1 import ObjectMeta


def test_a_copy_shares_nothing() -> None:
    pod = Pod(metadata=ObjectMeta(name="p", labels={"a": "b"}), spec=PodSpec(containers=[Container(name="c")]))
    clone = objects.copy(pod)
    assert clone == pod
    clone.spec.containers[0].name = "other"
    clone.metadata.labels["a"] = "c"
    assert pod.spec.containers[0].name == "c"
    assert pod.metadata.labels == {"a": "b"}


def test_bytes_survive_a_copy() -> None:
    secret = Secret(data={"k": b"\x00\xff"})
    assert objects.copy(secret) == secret


def test_plain_values_lead_back() -> None:
    pod = Pod(metadata=ObjectMeta(name="p"))
    assert objects.from_builtins(objects.to_builtins(pod), Pod) == pod


def test_keys() -> None:
    assert objects.key(Pod(metadata=ObjectMeta(name="p", namespace="n"))) == "n/p"
    assert objects.key(Pod(metadata=ObjectMeta(name="p"))) == "p"
