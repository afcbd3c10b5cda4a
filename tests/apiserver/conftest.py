"""What tests of the API server's parts share: a Reader over plain objects, and a clock that tests move."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from pybernetes.api.objects import ApiObject, Object


class MemoryReader:
    """Holds objects as the API server's caches do; tests add to `objects` as they go."""

    def __init__(self, *objects: ApiObject) -> None:
        self.objects = list(objects)

    def get(self, type_: type[Object], name: str, namespace: str = "") -> Object | None:
        return next((obj for obj in self.list(type_, namespace or None) if obj.metadata.name == name), None)

    def list(self, type_: type[Object], namespace: str | None = None) -> Iterable[Object]:
        found = [obj for obj in self.objects if isinstance(obj, type_)]
        return [obj for obj in found if namespace is None or (obj.metadata.namespace or "") == namespace]


class ManualClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def reader() -> MemoryReader:
    return MemoryReader()


@pytest.fixture
def manual_clock() -> ManualClock:
    return ManualClock()
