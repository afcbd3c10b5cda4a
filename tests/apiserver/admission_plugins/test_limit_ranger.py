"""Several LimitRanges of a namespace, pods that grow, and what is asked for as a whole."""

from __future__ import annotations

from typing import Any

import pytest
from tests.apiserver.admission_plugins.test_plugins import make, writing

from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import LimitRange, PersistentVolumeClaim, Pod
from pybernetes.apiserver.admission_plugins.limit_ranger import LimitRanger


@pytest.fixture
def plugin(reader):
    return LimitRanger(reader)


def limits(name: str, kind: str = "Container", **bounds: Any) -> LimitRange:
    return make(LimitRange, name, "ns", spec={"limits": [{"type": kind, **bounds}]})


def pod(cpu: str = "", **more: Any) -> Pod:
    requests = {"requests": {"cpu": cpu}, "limits": {"cpu": cpu}} if cpu else {}
    container = {"name": "c", "resources": requests}
    return make(Pod, "p", "ns", spec={"containers": [container], **more.pop("spec", {})}, **more)


async def refusal(plugin: LimitRanger, *write: Any) -> str:
    try:
        await plugin.validate(writing(*write))
    except StatusError as error:
        return str(error).partition(": ")[2]
    return ""


async def test_the_first_of_several_defaults_counts(plugin, reader):
    reader.objects += [
        limits("a", defaultRequest={"cpu": "1"}),
        limits("b", defaultRequest={"cpu": "2", "memory": "1Gi"}),
    ]
    new = pod()
    await plugin.admit(writing("CREATE", new))
    assert new.spec.containers[0].resources.requests == {"cpu": "1", "memory": "1Gi"}
    assert (
        new.metadata.annotations["kubernetes.io/limit-ranger"]
        == "LimitRanger plugin set: memory request for container c"
    )


async def test_the_first_of_several_that_refuse_speaks(plugin, reader):
    reader.objects += [limits("a", max={"cpu": "1"}), limits("b", max={"cpu": "500m"})]
    assert await refusal(plugin, "CREATE", pod("2")) == "maximum cpu usage per Container is 1, but limit is 2"
    assert await refusal(plugin, "CREATE", pod("600m")) == "maximum cpu usage per Container is 500m, but limit is 600m"


async def test_a_pod_grows_within_the_bounds_only(plugin, reader):
    reader.objects.append(limits("a", max={"cpu": "1"}))
    write = writing("UPDATE", pod("2"), pod("1"), "resize")
    assert plugin.handles(write)
    assert not plugin.handles(writing("UPDATE", pod("2"), pod("1")))
    with pytest.raises(StatusError, match="maximum cpu usage per Container is 1, but limit is 2"):
        await plugin.validate(write)


async def test_what_is_being_deleted_is_left_alone(plugin, reader):
    reader.objects.append(limits("a", "PersistentVolumeClaim", max={"storage": "1Gi"}))
    spec = {"resources": {"requests": {"storage": "2Gi"}}}
    claim = make(PersistentVolumeClaim, "c", "ns", spec=spec)
    assert "maximum storage usage" in await refusal(plugin, "UPDATE", claim, claim)
    going = make(PersistentVolumeClaim, "c", "ns", spec=spec, metadata={"deletionTimestamp": "2030-01-01T00:00:00Z"})
    assert await refusal(plugin, "UPDATE", claim, going) == ""


async def test_a_pod_is_measured_by_what_it_says_as_a_whole_and_not_by_its_overhead(plugin, reader):
    reader.objects.append(limits("a", "Pod", max={"cpu": "2"}))
    whole = {"resources": {"limits": {"cpu": "3"}}}
    assert await refusal(plugin, "CREATE", pod("1", spec=whole)) == "maximum cpu usage per Pod is 2, but limit is 3"
    assert await refusal(plugin, "CREATE", pod("2", spec={"overhead": {"cpu": "1"}})) == ""
