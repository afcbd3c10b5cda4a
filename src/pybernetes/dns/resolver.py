"""From a client's packet to the answer's: about the cluster from `ZoneData`, about all else from upstream.

`server` calls `quick`, and awaits `slow` only when that has no answer yet. Packets are cached while the cluster does
not change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from pybernetes.dns.answer import Answer, answer
from pybernetes.dns.forward import Forwarder
from pybernetes.dns.records import ZoneData
from pybernetes.dns.wire_format import (
    Malformed,
    Query,
    answer_records,
    bad_version,
    failure,
    format_error,
    parse_query,
    question_packet,
    reply,
    truncate,
)

LARGEST_TCP = 65535
# Questions that wait for an upstream; what comes beyond is refused rather than piled up.
MOST_WAITING = 1000
KEPT_PACKETS = 10_000


class Resolver:
    """Answers packets. `synced` says whether the zone data is complete."""

    def __init__(self, zone: ZoneData, forwarder: Forwarder, synced: Callable[[], bool]) -> None:
        self._zone = zone
        self._forwarder = forwarder
        self._synced = synced
        self._packets: dict[bytes, bytes] = {}
        self._packets_version = -1
        self._turn = 0
        self._waiting = 0
        self.counts: Counter[str] = Counter()

    def quick(self, packet: bytes, *, tcp: bool) -> bytes | Query | None:
        """An answer that needs no waiting; the parsed query when one has to wait; None for no answer at all."""
        if self._packets_version != self._zone.version:
            self._packets.clear()
            self._packets_version = self._zone.version
        known = self._packets.get(packet[2:]) if not tcp else None
        if known is not None:
            self.counts["NOERROR"] += 1
            return packet[:2] + known
        try:
            query = parse_query(packet)
        except Malformed:
            self.counts["FORMERR"] += 1
            return format_error(packet)
        return self._decide(query, tcp)

    async def slow(self, query: Query, *, tcp: bool) -> bytes:
        """The answer to what `quick` could not answer."""
        if self._waiting >= MOST_WAITING:
            return self._fail(query, "SERVFAIL")
        self._waiting += 1
        try:
            found = answer(query.question, self._zone)
            packet = await (self._forward(query, tcp) if found is None else self._chase(query, found, tcp))
        finally:
            self._waiting -= 1
        return truncate(query, packet, LARGEST_TCP if tcp else query.size)

    def metrics(self) -> str:
        """In Prometheus' text format."""
        lines = [f'dns_responses_total{{rcode="{code}"}} {count}' for code, count in sorted(self.counts.items())]
        return "\n".join(["# TYPE dns_responses_total counter", *lines, ""])

    def _decide(self, query: Query, tcp: bool) -> bytes | Query:
        if query.opcode != 0:
            return self._fail(query, "NOTIMP")
        if query.edns is not None and query.edns > 0:
            return bad_version(query)
        found = answer(query.question, self._zone)
        if found is None:
            cached = self._forwarder.cached(query.packet)
            if cached is None:
                return query
            return truncate(query, cached, LARGEST_TCP if tcp else query.size)
        if not self._synced():
            # What is not known yet must not be denied.
            return self._fail(query, "SERVFAIL")
        return query if found.chase else self._own(query, found, tcp)

    def _own(self, query: Query, found: Answer, tcp: bool) -> bytes:
        self.counts[found.code] += 1
        if len(found.answers) > 1:
            # Clients tend to take the first address.
            self._turn += 1
            at = self._turn % len(found.answers)
            turned = found.answers[at:] + found.answers[:at]
            found = replace(found, answers=turned if query.question.type in ("A", "AAAA") else found.answers)
        packet = truncate(query, reply(query, found), LARGEST_TCP if tcp else query.size)
        if not tcp and len(found.answers) == 1 and len(self._packets) < KEPT_PACKETS:
            self._packets[query.packet[2:]] = packet[2:]
        return packet

    async def _forward(self, query: Query, tcp: bool) -> bytes:
        packet = await self._forwarder.ask(query.packet, tcp=tcp)
        if packet is None:
            return self._fail(query, "SERVFAIL")
        self.counts["forwarded"] += 1
        return packet

    async def _chase(self, query: Query, found: Answer, tcp: bool) -> bytes:
        """The alias alone is an answer too, when nobody knows what is behind it."""
        self.counts[found.code] += 1
        if query.question.type == "CNAME":
            return reply(query, found)
        asked = question_packet(found.chase, query.question.type, query.message.header.id)
        packet = self._forwarder.cached(asked) or await self._forwarder.ask(asked, tcp=tcp)
        return reply(query, found, answer_records(packet) if packet is not None else ())

    def _fail(self, query: Query, code: str) -> bytes:
        self.counts[code] += 1
        return failure(query, code)
