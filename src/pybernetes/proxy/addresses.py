"""Service addresses as addresses of this node, so that the userspace proxy can listen on them.

They sit on a dummy interface, or on `lo` where the kernel has none, marked so that only ours are ever taken away.
`userspace` calls it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence

from pybernetes.environment.process import CommandFailed, run

log = logging.getLogger(__name__)

DEVICE = "kube-proxy"
LABEL = "lo:kube-proxy"


class ServiceAddresses:
    """The addresses that this proxy has put on the node; `inside` is put before each command."""

    def __init__(self, inside: Sequence[str] = ()) -> None:
        self._inside = tuple(inside)
        self._device: str | None = None
        self._present: frozenset[str] = frozenset()

    async def follow(self, wanted: frozenset[str]) -> None:
        """Makes the node have exactly these. Without the right to do so it says so and does nothing."""
        try:
            if self._device is None:
                self._device = await self._prepare()
                self._present = await self._observe()
            lines = [f"addr add {item}/32 dev {self._device}{self._label}" for item in sorted(wanted - self._present)]
            lines += [f"addr del {item}/32 dev {self._device}" for item in sorted(self._present - wanted)]
            if lines:
                await run([*self._inside, "ip", "-force", "-batch", "-"], stdin="\n".join(lines) + "\n")
        except (CommandFailed, FileNotFoundError) as error:
            log.warning("cannot put service addresses on this node, only node ports are served: %s", error)
        self._present = wanted

    @property
    def _label(self) -> str:
        return f" label {LABEL}" if self._device == "lo" else ""

    async def _prepare(self) -> str:
        try:
            await run([*self._inside, "ip", "link", "add", DEVICE, "type", "dummy"])
        except CommandFailed as error:
            if "File exists" not in error.stderr:
                return "lo"
        return DEVICE

    async def _observe(self) -> frozenset[str]:
        """What an earlier process left."""
        text = await run([*self._inside, "ip", "-4", "-j", "addr", "show", "dev", self._device or "lo"])
        infos = [info for link in json.loads(text or "[]") for info in link.get("addr_info", ())]
        return frozenset(info["local"] for info in infos if self._device == DEVICE or info.get("label") == LABEL)
