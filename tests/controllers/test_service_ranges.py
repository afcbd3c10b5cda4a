"""ServiceCIDRs are made ready, and go when nobody needs their addresses; policies' status says that they were read."""

from __future__ import annotations

from typing import Any

from pybernetes.api.types.admissionregistration_v1 import ValidatingAdmissionPolicy
from pybernetes.api.types.networking_v1 import IPAddress, ServiceCIDR
from pybernetes.controllers.servicecidr import FINALIZER, orphans
from tests.controllers.world import World, made, play

NAMES = ("service-cidr-controller", "validatingadmissionpolicy-status-controller", "serviceaccount-controller")


def cidr(name: str, *ranges: str, **metadata: Any) -> ServiceCIDR:
    return made(ServiceCIDR, name, "", spec={"cidrs": list(ranges)}, metadata=metadata)


def test_a_range_is_ready_and_stays_while_it_is_used() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(cidr("more", "10.200.0.0/24"))

        async def is_ready(wanted: str) -> Any:
            found = await world.client.get(ServiceCIDR, "more")
            told = {(item.type, item.status) for item in found.status.conditions}
            return found if ("Ready", wanted) in told else None

        assert FINALIZER in (await world.until(lambda: is_ready("True"))).metadata.finalizers
        parent = {"resource": "services", "namespace": "default", "name": "x"}
        labels = {"ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io"}
        await world.client.create(
            made(IPAddress, "10.200.0.9", "", spec={"parentRef": parent}, metadata={"labels": labels})
        )
        await world.client.delete(ServiceCIDR, "more")
        await world.until(lambda: is_ready("False"))
        await world.client.delete(IPAddress, "10.200.0.9")
        await world.until(lambda: world.gone(ServiceCIDR, "more", ""))

    play(scenario, names=NAMES)


def test_addresses_that_another_range_holds_are_no_reason_to_stay() -> None:
    going, wide = cidr("a", "10.0.0.0/24", uid="1"), cidr("b", "10.0.0.0/16", uid="2")
    assert orphans(going, [going, wide], ["10.0.0.1"]) == []
    assert orphans(going, [going], ["10.0.0.1", "10.1.0.1", "fd00::1"]) == ["10.0.0.1"]


def test_a_policy_is_told_to_be_checked() -> None:
    async def scenario(world: World) -> None:
        rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}]
        spec = {"matchConstraints": {"resourceRules": rules}, "validations": [{"expression": "true"}]}
        await world.client.create(made(ValidatingAdmissionPolicy, "p", "", spec=spec))

        async def checked() -> bool:
            status = (await world.client.get(ValidatingAdmissionPolicy, "p")).status
            return (status.observed_generation, status.type_checking is not None) == (1, True)

        await world.until(checked)

    play(scenario, names=NAMES)
