"""Asking others about names outside of the cluster: upstream resolvers, with a cache in front.

Packets of clients flow in, packets of upstreams flow out with the client's identifier. Resolvers that do not answer
are left alone for a moment, so that without a way out everybody gets an error at once.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from pybernetes.dns.wire_format import HEADER, Malformed, is_reply_to, is_truncated, lifetimes
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import Clock

log = logging.getLogger(__name__)

TRY = 1.0  # seconds for one question to one resolver
PATIENCE = 3.0  # seconds for all tries together; clients give up after five
FAILURES = 2  # in a row, after which a resolver counts as silent
DOWN = 2.0  # seconds that a silent resolver is not asked
LONGEST_CACHED = 30
CACHE_SIZE = 10_000


@dataclass(frozen=True)
class Upstream:
    """A resolver."""

    address: str
    port: int = 53


def upstreams_of(resolv_conf: str) -> tuple[Upstream, ...]:
    """The name servers of a resolv.conf. Those on loopback are left out: in a pod, that is this server itself."""
    found = []
    for line in resolv_conf.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver":
            try:
                address = ip_address(words[1].partition("%")[0])
            except ValueError:
                continue
            if not address.is_loopback:
                found.append(Upstream(words[1]))
    return tuple(found)


def parse_upstream(text: str) -> Upstream:
    """`address`, `address:port` or `[address]:port`; ValueError for anything else."""
    host, _, port = text.rpartition(":") if text.count(":") == 1 or text.startswith("[") else (text, "", "53")
    host = host.strip("[]")
    return Upstream(str(ip_address(host)), int(port))


@dataclass
class _Cached:
    packet: bytes
    offsets: tuple[int, ...]
    stored: float
    lifetime: int


class AnswerCache:
    """Packets by question, for as long as their records live but no longer than `LONGEST_CACHED` seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[bytes, _Cached] = {}

    def get(self, query: bytes) -> bytes | None:
        """The answer with the query's identifier and the lifetimes that are left."""
        entry = self._entries.get(query[2:])
        if entry is None:
            return None
        age = int(self._clock.monotonic() - entry.stored)
        if age >= entry.lifetime:
            del self._entries[query[2:]]
            return None
        packet = bytearray(query[:2] + entry.packet[2:])
        for at in entry.offsets:
            (ttl,) = struct.unpack_from("!I", packet, at)
            struct.pack_into("!I", packet, at, max(ttl - age, 0))
        return bytes(packet)

    def put(self, query: bytes, packet: bytes) -> None:
        """Keeps an answer that may be kept: one or the denial of one, whole."""
        if packet[3] & 0x0F not in (0, 3) or is_truncated(packet):
            return
        try:
            offsets = lifetimes(packet)
        except Malformed:
            return
        lifetime = min((struct.unpack_from("!I", packet, at)[0] for at in offsets), default=0)
        if lifetime <= 0:
            return
        if len(self._entries) >= CACHE_SIZE:
            # The oldest goes; dicts keep the order in which they were filled.
            del self._entries[next(iter(self._entries))]
        kept = min(lifetime, LONGEST_CACHED)
        self._entries[query[2:]] = _Cached(packet, offsets, self._clock.monotonic(), kept)


class Forwarder:
    """The way to the upstream resolvers."""

    def __init__(self, upstreams: Sequence[Upstream], clock: Clock, chance: Chance | None = None) -> None:
        self._upstreams = tuple(upstreams)
        self._clock = clock
        self._chance = chance or Chance()
        self._cache = AnswerCache(clock)
        self._failures: dict[Upstream, int] = {}
        self._asked_last: dict[Upstream, float] = {}
        self._trials: set[asyncio.Task[bytes | None]] = set()

    def cached(self, query: bytes) -> bytes | None:
        return self._cache.get(query)

    async def ask(self, query: bytes, *, tcp: bool = False) -> bytes | None:
        """An upstream's answer, None when there is none. A truncated one is asked for again if the client has TCP."""
        if any(self._failures.get(upstream, 0) < FAILURES for upstream in self._upstreams):
            return await self._ask_and_keep(query, tcp)
        # Nobody waits for resolvers that are silent; now and then a question is tried behind the client's back.
        if not self._trials and not all(self._is_down(upstream) for upstream in self._upstreams):
            self.try_out(query)
        return None

    def try_out(self, query: bytes) -> None:
        """Asks for the sake of knowing whether somebody answers; at the start, too, so that no client has to wait."""
        trial = asyncio.get_running_loop().create_task(self._ask_and_keep(query, tcp=False))
        self._trials.add(trial)
        trial.add_done_callback(self._trials.discard)

    async def close(self) -> None:
        """Ends what is under way behind clients' backs."""
        for trial in self._trials:
            trial.cancel()
        await asyncio.gather(*self._trials, return_exceptions=True)

    async def _ask_and_keep(self, query: bytes, tcp: bool) -> bytes | None:
        # A client knows the identifier of its own question, and could forge the answer that all others get.
        own = self._chance.secret(2) + query[2:]
        try:
            async with asyncio.timeout(PATIENCE):
                packet = await self._ask(own, tcp)
        except TimeoutError:
            return None
        if packet is None:
            return None
        packet = query[:2] + packet[2:]
        self._cache.put(query, packet)
        return packet

    async def _ask(self, query: bytes, tcp: bool) -> bytes | None:
        for _ in range(2):
            for upstream in self._upstreams:
                if self._is_down(upstream):
                    continue
                self._asked_last[upstream] = self._clock.monotonic()
                try:
                    async with asyncio.timeout(TRY):
                        packet = await _ask_udp(upstream, query)
                        if tcp and is_truncated(packet):
                            packet = await _ask_tcp(upstream, query)
                except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                    self._fail(upstream, error)
                    continue
                self._failures.pop(upstream, None)
                return packet
        return None

    def _is_down(self, upstream: Upstream) -> bool:
        """Silent, and not to be tried again yet."""
        recently = self._clock.monotonic() - self._asked_last.get(upstream, float("-inf")) < DOWN
        return self._failures.get(upstream, 0) >= FAILURES and recently

    def _fail(self, upstream: Upstream, error: Exception) -> None:
        self._failures[upstream] = count = self._failures.get(upstream, 0) + 1
        if count == FAILURES:
            log.warning("resolver %s does not answer: %s", upstream.address, str(error) or type(error).__name__)


class _Asking(asyncio.DatagramProtocol):
    """One question to one resolver."""

    def __init__(self, query: bytes, answered: asyncio.Future[bytes]) -> None:
        self._query = query
        self._answered = answered

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(data) >= HEADER and is_reply_to(data, self._query) and not self._answered.done():
            self._answered.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self._answered.done():
            self._answered.set_exception(exc)


async def _ask_udp(upstream: Upstream, query: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[bytes] = loop.create_future()
    # A socket of its own has a random port, which makes answers harder to forge.
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Asking(query, answered), remote_addr=(upstream.address, upstream.port)
    )
    try:
        transport.sendto(query)
        return await answered
    finally:
        transport.close()


async def _ask_tcp(upstream: Upstream, query: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(upstream.address, upstream.port)
    try:
        writer.write(struct.pack("!H", len(query)) + query)
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        packet = await reader.readexactly(length)
    finally:
        writer.close()
    if len(packet) < HEADER or not is_reply_to(packet, query):
        raise OSError("the answer belongs to another question")
    return packet
