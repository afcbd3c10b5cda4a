"""What the recordings did without a step, scenario by scenario: rebuilt from what the answers show.

`BEFORE[scenario, step]` runs before that step; `DURING[scenario]` while all steps (watches) of a scenario are open;
in `CONTROLLED` scenarios the controllers run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from tests.oracle.ground import Ground

Prepare = Callable[[Ground], Awaitable[None]]
BEFORE: dict[tuple[str, int], Prepare] = {}
DURING: dict[str, Prepare] = {}
CONTROLLED: frozenset[str] = frozenset()
NO_NAMESPACES = frozenset({"nosuch"})


def before(scenario: str, step: int = 0) -> Callable[[Prepare], Prepare]:
    def register(prepare: Prepare) -> Prepare:
        BEFORE[scenario, step] = prepare
        return prepare

    return register


def config_map(name: str, namespace: str, **metadata: Any) -> dict[str, Any]:
    return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name, "namespace": namespace, **metadata}}
