"""The packet filter of the network namespace that this process is in: reading it, changing it, forgetting flows.

Text of `iptables` flows in and out through the system's own programs, whichever back end they have. `sync` calls it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from pybernetes.environment.process import CommandFailed, run
from pybernetes.proxy.iptables import Present, join, observe

log = logging.getLogger(__name__)

TABLES = ("filter", "nat")
# Others write too: wait for the lock of the legacy back end so many seconds.
_WAIT = ("-w", "5")


class PacketFilter:
    """The tables; `inside` is put before each command, to reach another namespace in tests."""

    def __init__(self, inside: Sequence[str] = ()) -> None:
        self._inside = tuple(inside)
        self._no_conntrack = False

    async def observe(self) -> Present:
        """What is there now. Raises CommandFailed, FileNotFoundError."""
        saved = [(table, await run([*self._inside, "iptables-save", "-t", table])) for table in TABLES]
        return join(*(observe(table, text) for table, text in saved))

    async def restore(self, text: str) -> None:
        """Writes each table as a whole or not at all. Raises CommandFailed, FileNotFoundError."""
        await run([*self._inside, "iptables-restore", *_WAIT, "--noflush", "--counters"], stdin=text)

    async def forget(self, flows: Sequence[Sequence[str]]) -> None:
        """Deletes tracked flows. Where that cannot be done they run out by themselves, in half a minute or three."""
        for flow in () if self._no_conntrack else flows:
            try:
                await run([*self._inside, "conntrack", "-D", *flow])
            except FileNotFoundError:
                self._no_conntrack = True
                log.warning("conntrack is not installed: UDP flows to deleted endpoints live until they run out")
                return
            except CommandFailed as error:
                # Finding nothing to delete counts as a failure there.
                if "0 flow entries" not in error.stderr:
                    log.warning("cannot delete UDP flows: %s", error)
