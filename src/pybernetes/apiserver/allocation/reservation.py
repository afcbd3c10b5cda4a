"""The seam between the writer and what hands out addresses and ports: a reservation for each write that needs some."""

from __future__ import annotations

from typing import Protocol

from pybernetes.api.objects import ApiObject


class Reservation(Protocol):
    """What has been handed out for one write: one of the two is called, once the write's outcome is known."""

    async def commit(self) -> None:
        """The object is stored: what it no longer needs can go."""

    async def revert(self) -> None:
        """The object is not stored: what was handed out goes back."""


class Allocator(Protocol):
    """Hands out what objects need from a common pool, such as addresses and ports of Services."""

    async def reserve(self, new: ApiObject, old: ApiObject | None, dry_run: bool) -> Reservation:
        """Fills in `new`; raises StatusError when it cannot be had. A dry run takes nothing."""

    async def release(self, obj: ApiObject) -> None:
        """Takes back what a deleted object had."""


class _NoReservation:
    async def commit(self) -> None:
        pass

    async def revert(self) -> None:
        pass


NO_RESERVATION: Reservation = _NoReservation()
