"""What a check of the Pod Security Standards answers, and the words that checks share for who does what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pybernetes.api.types.core_v1 import Container, EphemeralContainer, PodSpec, SecurityContext
from pybernetes.api.types.meta_v1 import ObjectMeta

AnyContainer = Container | EphemeralContainer


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that a level forbids; shown as `reason (details)`."""

    reason: str
    details: str


Check = Callable[[ObjectMeta, PodSpec], Violation | None]


def containers(spec: PodSpec) -> Iterator[AnyContainer]:
    """All of a pod, the ones that begin first."""
    yield from spec.init_containers
    yield from spec.containers
    yield from spec.ephemeral_containers


def named(spec: PodSpec, is_bad: Callable[[AnyContainer, SecurityContext | None], bool]) -> list[str]:
    """The names of the containers that a check has something against."""
    return [container.name for container in containers(spec) if is_bad(container, container.security_context)]


def quoted(texts: Iterable[str]) -> str:
    """`"a", "b"`."""
    return ", ".join(f'"{text}"' for text in texts)


def plural(one: str, count: int) -> str:
    """The word for one or for several."""
    return one if count == 1 else one + "s"


def which(names: Sequence[str]) -> str:
    """`containers "a", "b"`."""
    return f"{plural('container', len(names))} {quoted(names)}"


def setters(by_pod: bool, names: Sequence[str], joint: str = " and ") -> str:
    """`pod and containers "a", "b"`."""
    return joint.join((["pod"] if by_pod else []) + ([which(names)] if names else []))


def added(container: AnyContainer) -> list[str]:
    """The capabilities that a container adds."""
    context = container.security_context
    return context.capabilities.add if context and context.capabilities else []
