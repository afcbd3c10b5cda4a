"""LimitRanger: gives containers a namespace's default requests and limits, and refuses what is outside its bounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pybernetes.api.pod_amounts import pod_limits, pod_requests
from pybernetes.api.quantity import canonical, compare, parse
from pybernetes.api.struct import Quantity
from pybernetes.api.types.core_v1 import Container, LimitRange, LimitRangeItem, PersistentVolumeClaim, Pod
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import Bystander, refusal
from pybernetes.apiserver.reader import Reader

_ANNOTATION = "kubernetes.io/limit-ranger"
Amounts = Mapping[str, Quantity]
# `request` or `limit`, and the amounts.
_Stated = tuple[str, Amounts]


class LimitRanger(Bystander):
    """Applies the LimitRanges of a namespace to new pods and claims."""

    name = "LimitRanger"
    repeats = True
    resources = frozenset({"pods", "persistentvolumeclaims"})

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def handles(self, request: AdmissionRequest) -> bool:
        if request.kind.type is PersistentVolumeClaim:
            return request.operation in ("CREATE", "UPDATE") and not request.subresource
        # Otherwise what a pod asks for does not change.
        return (request.operation, request.subresource) in (("CREATE", ""), ("UPDATE", "resize"))

    def _ranges(self, request: AdmissionRequest) -> Iterable[LimitRange]:
        if request.old_object is not None and request.old_object.metadata.deletion_timestamp is not None:
            return ()
        return self._reader.list(LimitRange, request.namespace)

    async def admit(self, request: AdmissionRequest) -> None:
        pod = request.object
        if isinstance(pod, Pod):
            for limit_range in self._ranges(request):
                apply_defaults(pod, limit_range.spec.limits)

    async def validate(self, request: AdmissionRequest) -> None:
        obj = request.object
        for limit_range in self._ranges(request):
            problems: list[str] = []
            for item in limit_range.spec.limits:
                if isinstance(obj, Pod):
                    problems += pod_problems(obj, item)
                elif isinstance(obj, PersistentVolumeClaim) and item.type == "PersistentVolumeClaim":
                    requests = ("request", obj.spec.resources.requests)
                    problems += [*_below(item, requests), *_above(item, requests)]
            if problems:
                raise refusal(request, *problems)


def apply_defaults(pod: Pod, items: list[LimitRangeItem]) -> None:
    """Fills in what containers leave out, and notes on the pod what was filled in."""
    requests: dict[str, Quantity] = {}
    limits: dict[str, Quantity] = {}
    for item in items:
        if item.type == "Container":
            requests.update(item.default_request)
            limits.update(item.default)
    notes: list[str] = []
    for container in pod.spec.containers:
        notes += _fill(container, "container", requests, limits)
    for container in pod.spec.init_containers:
        notes += _fill(container, "init container", requests, limits)
    if notes:
        text = "LimitRanger plugin set: " + "; ".join(notes)
        pod.metadata.annotations = {**pod.metadata.annotations, _ANNOTATION: text}


def _fill(container: Container, what: str, requests: Amounts, limits: Amounts) -> Iterator[str]:
    resources = container.resources
    new_requests = {key: value for key, value in requests.items() if key not in resources.requests}
    new_limits = {key: value for key, value in limits.items() if key not in resources.limits}
    if new_requests:
        resources.requests = {**resources.requests, **new_requests}
        yield f"{', '.join(sorted(new_requests))} request for {what} {container.name}"
    if new_limits:
        resources.limits = {**resources.limits, **new_limits}
        yield f"{', '.join(sorted(new_limits))} limit for {what} {container.name}"


def pod_problems(pod: Pod, item: LimitRangeItem) -> Iterator[str]:
    """Everything about a pod that a limit does not allow."""
    if item.type == "Container":
        for container in (*pod.spec.containers, *pod.spec.init_containers):
            yield from _problems(item, container.resources.requests, container.resources.limits)
    elif item.type == "Pod":
        yield from _problems(item, pod_requests(pod, overhead=False), pod_limits(pod, overhead=False))


def _problems(item: LimitRangeItem, requests: Amounts, limits: Amounts) -> Iterator[str]:
    yield from _below(item, ("request", requests), ("limit", limits))
    yield from _above(item, ("limit", limits), ("request", requests))
    yield from _apart(item, requests, limits)


def _below(item: LimitRangeItem, *stated: _Stated) -> Iterator[str]:
    for key, bound in sorted(item.min.items()):
        rule = f"minimum {key} usage per {item.type} is {canonical(bound)}"
        beyond = [
            (word, amounts[key]) for word, amounts in stated if key in amounts and compare(amounts[key], bound) < 0
        ]
        yield from _broken(rule, key, stated[0], beyond)


def _above(item: LimitRangeItem, *stated: _Stated) -> Iterator[str]:
    for key, bound in sorted(item.max.items()):
        rule = f"maximum {key} usage per {item.type} is {canonical(bound)}"
        beyond = [
            (word, amounts[key]) for word, amounts in stated if key in amounts and compare(amounts[key], bound) > 0
        ]
        yield from _broken(rule, key, stated[0], beyond)


def _broken(rule: str, key: str, required: _Stated, beyond: Sequence[tuple[str, Quantity]]) -> Iterator[str]:
    """How a rule is broken, if it is: what it requires is not stated, or something lies beyond its bound."""
    if key not in required[1]:
        yield f"{rule}.  No {required[0]} is specified"
    elif beyond:
        word, amount = beyond[0]
        yield f"{rule}, but {word} is {canonical(amount)}"


def _apart(item: LimitRangeItem, requests: Amounts, limits: Amounts) -> Iterator[str]:
    for key, bound in sorted(item.max_limit_request_ratio.items()):
        rule = f"{key} max limit to request ratio per {item.type} is {canonical(bound)}"
        if key not in requests or parse(requests[key]) == 0:
            yield f"{rule}, but no request is specified or request is 0"
        elif key not in limits or parse(limits[key]) == 0:
            yield f"{rule}, but no limit is specified or limit is 0"
        elif (ratio := parse(limits[key]) / parse(requests[key])) > parse(bound):
            yield f"{rule}, but provided ratio is {float(ratio):f}"
