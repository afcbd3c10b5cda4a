"""What is said of claims for devices, of their allocation, and of the slices that offer devices."""

from __future__ import annotations

from typing import Any

import pytest
from tests.apiserver.resources.validation.causes import made, merged, on_create, on_status, on_update

_WISH = {"name": "gpu", "exactly": {"deviceClassName": "gpu.example.com"}}


def _claim(**devices: Any) -> dict[str, Any]:
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaim",
        "spec": {"devices": {"requests": [_WISH], **devices}},
    }


_REFERENCE = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"


@pytest.mark.parametrize(
    ("devices", "said"),
    [
        ({}, []),
        ({"requests": [{"name": "gpu"}]},
         ["spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required"]),
        ({"requests": [_WISH, _WISH]}, ['spec.devices.requests[1]: Duplicate value: "gpu"']),
        ({"requests": [_WISH] * 33}, ["spec.devices.requests: Too many: 33: must have at most 32 items"]),
        ({"requests": [{"name": "gpu", "exactly": {}}]},
         ["spec.devices.requests[0].exactly.deviceClassName: Required value"]),
        ({"requests": [{"name": "gpu", "exactly": {"deviceClassName": "c", "allocationMode": "Some"}}]},
         ['spec.devices.requests[0].exactly.allocationMode: Unsupported value: "Some": '
          'supported values: "All", "ExactCount"']),
        ({"requests": [{"name": "gpu", "exactly": {"deviceClassName": "c", "allocationMode": "All", "count": 2}}]},
         ["spec.devices.requests[0].exactly.count: Invalid value: 2: "
          "must not be specified when allocationMode is 'All'"]),
        ({"requests": [{"name": "gpu", "exactly": {"deviceClassName": "c", "selectors": [{}]}}]},
         ["spec.devices.requests[0].exactly.selectors[0].cel: Required value"]),
        ({"requests": [{"name": "gpu", "exactly": {"deviceClassName": "c", "tolerations": [
            {"operator": "Exists", "value": "x", "effect": "Never"}]}}]},
         ['spec.devices.requests[0].exactly.tolerations[0].value: Invalid value: "x": '
          "must be empty for operator `Exists`",
          'spec.devices.requests[0].exactly.tolerations[0].effect: Unsupported value: "Never": '
          'supported values: "NoExecute", "NoSchedule", "None"']),
        ({"constraints": [{"requests": ["nic"], "matchAttribute": "numa"}]},
         [f'spec.devices.constraints[0].requests[0]: Invalid value: "nic": {_REFERENCE}',
          'spec.devices.constraints[0].matchAttribute: Invalid value: "numa": '
          "a fully qualified name must be a domain and a name separated by a slash"]),
        ({"config": [{"requests": ["gpu", "gpu"]}]},
         ['spec.devices.config[0].requests[1]: Duplicate value: "gpu"',
          "spec.devices.config[0].opaque: Required value"]),
        ({"config": [{"opaque": {"driver": "d.example.com", "parameters": [1]}}]},
         ['spec.devices.config[0].opaque.parameters: Invalid value: "<value omitted>": must be a valid JSON object']),
    ],
)  # fmt: skip
def test_claims(devices: dict[str, Any], said: list[str]) -> None:
    assert on_create(_claim(**devices)) == said


def test_a_claim_stays_as_it_is() -> None:
    said = on_update(_claim(), _claim(config=[{"opaque": {"driver": "d", "parameters": {}}}]))
    assert [line.rpartition(": ")[2] for line in said] == ["field is immutable"]
    assert said[0].startswith("spec: Invalid value: ")


_RESULT = {"request": "gpu", "driver": "d.example.com", "pool": "node-1", "device": "gpu-0"}
_ALLOCATED = {"allocation": {"devices": {"results": [_RESULT]}}}
_POD = {"resource": "pods", "name": "p", "uid": "1"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({}, _ALLOCATED, []),
        (_ALLOCATED, merged(_ALLOCATED, {"reservedFor": [_POD]}), []),
        ({}, {"reservedFor": [_POD]},
         ["status.reservedFor: Forbidden: may not be specified when `allocated` is not set"]),
        (_ALLOCATED, merged(_ALLOCATED, {"reservedFor": [{"name": "p"}]}),
         ["status.reservedFor[0].resource: Required value", "status.reservedFor[0].uid: Required value"]),
        ({}, {"allocation": {"devices": {"results": [{**_RESULT, "request": "nic"}]}}},
         [f'status.allocation.devices.results[0].request: Invalid value: "nic": {_REFERENCE}']),
        (_ALLOCATED,
         merged(_ALLOCATED, {"devices": [{"driver": "d.example.com", "pool": "node-1", "device": "gpu-1"}]}),
         ['status.devices[0]: Invalid value: "d.example.com/node-1/gpu-1": must be an allocated device in the claim']),
    ],
)  # fmt: skip
def test_the_status_of_a_claim(old: dict[str, Any], new: dict[str, Any], said: list[str]) -> None:
    assert on_status(_claim(), old, new) == said


def _slice(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceSlice",
        "spec": merged(
            {
                "driver": "d.example.com",
                "nodeName": "n",
                "pool": {"name": "n", "generation": 1, "resourceSliceCount": 1},
            },
            spec,
        ),
    }


_PLACES = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"devices": [{"name": "a", "attributes": {"numa": {"int": 1}}, "capacity": {"m": {"value": "1Gi"}}}]}, []),
        ({"nodeName": None}, [f"spec: Required value: {_PLACES}"]),
        ({"allNodes": True},
         [f'spec: Invalid value: "{{`nodeName`, `allNodes`}}": {_PLACES}, but multiple fields are set']),
        ({"allNodes": False}, ["spec.allNodes: Invalid value: false: must be either unset or set to true"]),
        ({"pool": {"name": "A", "resourceSliceCount": 0, "generation": -1}},
         ['spec.pool.name: Invalid value: "A": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric '
          "characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', "
          "regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
          "spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero",
          "spec.pool.generation: Invalid value: -1: must be greater than or equal to zero"]),
        ({"devices": [{"name": "a"}, {"name": "a"}]}, ['spec.devices[1]: Duplicate value: "a"']),
        ({"devices": [{"name": "a", "attributes": {"v": {"version": "1.2"}, "n": {}}}]},
         ['spec.devices[0].attributes[v].version: Invalid value: "1.2": '
          "must be a string compatible with semver.org spec 2.0.0",
          'spec.devices[0].attributes[n]: Invalid value: "": exactly one value must be specified']),
        ({"devices": [{"name": "a", "taints": [{"key": "k"}]}]}, ["spec.devices[0].taints[0].effect: Required value"]),
        ({"devices": [{"name": "a", "allNodes": True}]},
         ["spec.devices[0]: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if "
          "`perDeviceNodeSelection` is set to true in the ResourceSlice spec"]),
        ({"devices": [{"name": "a", "capacity": {"m": {"value": "1", "requestPolicy": {}}}}]},
         ["spec.devices[0].capacity[m].requestPolicy: Forbidden: allowMultipleAllocations must be true"]),
    ],
)  # fmt: skip
def test_slices(spec: dict[str, Any], said: list[str]) -> None:
    assert on_create(_slice(**spec)) == said


_SPAN = "spec.devices[0].capacity[m].requestPolicy.validRange"


@pytest.mark.parametrize(
    ("span", "said"),
    [
        ({"min": "1Gi", "step": "1Gi"}, []),
        ({"min": "1Gi", "step": "4Gi"},
         [f'{_SPAN}.step: Invalid value: "4Gi": one step 5Gi is larger than capacity value: 4Gi',
          f'{_SPAN}.step: Invalid value: "2Gi": value is not a multiple of a given step (4Gi) from (1Gi)']),
        ({"min": "1Gi", "step": "0"}, [f'{_SPAN}.step: Invalid value: "0": must be greater than zero']),
    ],
)  # fmt: skip
def test_shares_of_a_capacity_come_in_steps(span: dict[str, Any], said: list[str]) -> None:
    policy = {"default": "2Gi", "validRange": span}
    capacity = {"m": {"value": "4Gi", "requestPolicy": policy}}
    device = {"name": "a", "allowMultipleAllocations": True, "capacity": capacity}
    assert on_create(_slice(devices=[device])) == said


def test_long_names_lose_their_middle_in_paths() -> None:
    counters = [{"name": "c", "counters": {"a" * 40 + "b" * 40: {"value": "1"}}}]
    (said,) = on_create(_slice(sharedCounters=counters))
    assert said.startswith(f"spec.sharedCounters[0].counters[{'a' * 30}...{'b' * 30}]: ")


def test_a_slice_stays_with_its_driver_and_pool() -> None:
    assert on_update(_slice(), _slice(driver="e.example.com", pool={"name": "m"}, nodeName="m")) == [
        'spec.pool.name: Invalid value: "m": field is immutable',
        'spec.driver: Invalid value: "e.example.com": field is immutable',
        'spec.nodeName: Invalid value: "m": field is immutable',
    ]


def _class(*expressions: str, **spec: Any) -> dict[str, Any]:
    selectors = [{"cel": {"expression": expression}} for expression in expressions]
    return {"apiVersion": "resource.k8s.io/v1", "kind": "DeviceClass", "spec": {"selectors": selectors, **spec}}


_NESTED = 'device.attributes["d"].all({0}, {1})'
_WHERE = "spec.selectors[0].cel.expression"


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ('device.driver == "d.example.com" && device.attributes["d.example.com"].model == "a"', []),
        ('device.capacity["d.example.com"].memory.isGreaterThan(quantity("1Gi"))', []),
        ('cel.bind(d, device.attributes["d.example.com"], d.fast && d.version.isLessThan(semver("2.0.0")))', []),
        ('device.attributes["d.example.com"].fast', []),
        ("device.allowMultipleAllocations", []),
        ("device.driver", ["must evaluate to bool or the unknown type, not string"]),
        ("device.attributes[true].fast",
         ["compilation failed: ERROR: <input>:1:18: found no matching overload for '_[_]' applied to "
          "'(map(string, map(string, any)), bool)'"]),
        ("device.colour", ["compilation failed: ERROR: <input>:1:7: undefined field 'colour'"]),
        (_NESTED.format("k", _NESTED.format("l", _NESTED.format("m", _NESTED.format("n", "k + l == m + n")))),
         ["too complex, exceeds cost limit"]),
    ],
)  # fmt: skip
def test_devices_are_chosen_by_expressions(expression: str, said: list[str]) -> None:
    errors = on_create(_class(expression))
    assert [error.startswith(f"{_WHERE}: ") for error in errors] == [True] * len(said)
    assert [error.endswith(f": {text}") for error, text in zip(errors, said, strict=True)] == [True] * len(said)


def test_expressions_that_stay_are_not_judged_again() -> None:
    assert on_update(_class("device.gone"), _class("device.gone", extendedResourceName="d.example.com/gpu")) == []
    assert len(on_update(_class("device.gone"), _class("device.gone", "true"))) == 1


def test_what_is_said_of_a_device_goes_with_it() -> None:
    device = {"driver": "d.example.com", "pool": "node-1", "device": "gpu-0"}
    allocated = merged(_ALLOCATED, {"devices": [device]})
    assert on_status(_claim(), allocated, allocated) == []
    assert on_status(_claim(), allocated, {"devices": [device]}) == []


def test_classes_of_devices() -> None:
    document = {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "DeviceClass",
        "spec": {
            "selectors": [{}],
            "extendedResourceName": "gpu",
            "config": [{"opaque": {"driver": "D", "parameters": None}}],
        },
    }
    assert on_create(document) == [
        "spec.selectors[0].cel: Required value",
        "spec.config[0].opaque.parameters: Required value",
        'spec.extendedResourceName: Invalid value: "gpu": must be a valid extended resource name',
    ]


def test_what_belongs_to_features_that_are_off_is_not_kept() -> None:
    attributes = {"a": {"ints": [1]}, "b": {"int": 1}}
    document = _slice(devices=[{"name": "d", "attributes": attributes, "nodeAllocatableResourceMappings": {"cpu": {}}}])
    (device,) = made(document).spec.devices
    assert (device.attributes["a"].ints, device.node_allocatable_resource_mappings) == ([], {})
    assert on_create(document) == [
        'spec.devices[0].attributes[a]: Invalid value: "": exactly one value must be specified'
    ]
