"""DNS messages: bytes to what `answer` needs, and answers to bytes, with EDNS sizes and truncation.

`resolver` calls it. dnslib does the encoding; messages that are only passed on are patched in place.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import dnslib
from dnslib.dns import DNSError

from pybernetes.dns.answer import Answer, Question, Record

NO_EDNS_SIZE = 512
LARGEST_UDP = 4096
HEADER = 12
_OPT = 41
_TRUNCATED = 0x02
_CODES = {"NOERROR": 0, "FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3, "NOTIMP": 4, "REFUSED": 5}
_DATA = {"A": dnslib.A, "AAAA": dnslib.AAAA, "CNAME": dnslib.CNAME, "PTR": dnslib.PTR, "NS": dnslib.NS}


_PARSE_ERRORS = (DNSError, struct.error, IndexError, ValueError)


class Malformed(ValueError):
    """Bytes that are no DNS message."""


@dataclass(frozen=True)
class Query:
    """One request as it came. `size` is what the client takes in a datagram; `edns` is None without EDNS."""

    packet: bytes
    question: Question
    opcode: int
    size: int
    edns: int | None
    message: Any


def parse_query(packet: bytes) -> Query:
    """Raises Malformed for anything but one question."""
    try:
        message = dnslib.DNSRecord.parse(packet)
    except _PARSE_ERRORS as error:
        raise Malformed(str(error)) from error
    if message.header.qr or len(message.questions) != 1:
        raise Malformed("not one question")
    asked = message.q
    option = next((record for record in message.ar if record.rtype == _OPT), None)
    size = NO_EDNS_SIZE if option is None else min(max(option.rclass, NO_EDNS_SIZE), LARGEST_UDP)
    version = None if option is None else (option.ttl >> 16) & 0xFF
    name = ".".join(label.decode("latin-1") for label in asked.qname.label) + "."
    # A type that dnslib has no name for is as good as any other without data.
    type_ = dnslib.QTYPE.forward.get(asked.qtype, f"TYPE{asked.qtype}")
    return Query(packet, Question(name, type_), message.header.opcode, size, version, message)


def reply(query: Query, answer: Answer, extra: tuple[Any, ...] = ()) -> bytes:
    """The whole answer, however long; `extra` are dnslib records that go behind its own."""
    message = _empty(query, answer.code, authoritative=True)
    message.add_answer(*(_record(item) for item in answer.answers), *extra)
    message.add_auth(*(_record(item) for item in answer.authority))
    message.add_ar(*(_record(item) for item in answer.additional))
    _add_edns(message, query)
    return bytes(message.pack())


def failure(query: Query, code: str) -> bytes:
    """An answer that is nothing but a code."""
    message = _empty(query, code, authoritative=False)
    _add_edns(message, query)
    return bytes(message.pack())


def bad_version(query: Query) -> bytes:
    """What an EDNS version from the future gets: its code has its upper bits in the OPT record."""
    message = _empty(query, "NOERROR", authoritative=False)
    message.add_ar(dnslib.EDNS0(udp_len=LARGEST_UDP, ext_rcode=1))
    return bytes(message.pack())


def format_error(packet: bytes) -> bytes | None:
    """FORMERR for what has at least a header of a request; nothing else deserves an answer."""
    if len(packet) < HEADER or packet[2] & 0x80:
        return None
    return packet[:2] + bytes([0x80 | (packet[2] & 0x79), 0x80 | _CODES["FORMERR"]]) + bytes(8)


def truncate(query: Query, packet: bytes, limit: int) -> bytes:
    """As much as fits into `limit` bytes; with the bit that makes clients come back over TCP when that is not all."""
    if len(packet) <= limit:
        return packet
    try:
        message = dnslib.DNSRecord.parse(packet)
    except _PARSE_ERRORS:
        # An upstream's oddity: let the client fetch it whole.
        message = _empty(query, "NOERROR", authoritative=False)
    message.ar, message.auth = [record for record in message.ar if record.rtype == _OPT], []
    message.header.tc = 1
    while True:
        message.set_header_qa()
        packed = bytes(message.pack())
        if len(packed) <= limit or not message.rr:
            return packed
        message.rr = message.rr[: len(message.rr) * limit // (len(packed) + 1)]


def question_packet(name: str, type_: str, id_: int) -> bytes:
    """A question of our own."""
    message = dnslib.DNSRecord(dnslib.DNSHeader(id=id_, rd=1), q=dnslib.DNSQuestion(name, dnslib.QTYPE.reverse[type_]))
    return bytes(message.pack())


def answer_records(packet: bytes) -> tuple[Any, ...]:
    """The answer section of a message as dnslib's records, none for one that cannot be read."""
    try:
        return tuple(dnslib.DNSRecord.parse(packet).rr)
    except _PARSE_ERRORS:
        return ()


def is_truncated(packet: bytes) -> bool:
    return bool(packet[2] & _TRUNCATED)


def is_reply_to(packet: bytes, query: bytes) -> bool:
    """Whether an answer has the identifier and the question of the query."""
    end = _question_end(query)
    return len(packet) >= end and packet[:2] == query[:2] and packet[HEADER:end] == query[HEADER:end]


def lifetimes(packet: bytes) -> tuple[int, ...]:
    """Where in the message the TTLs stand, OPT's left out. Raises Malformed."""
    try:
        counts = struct.unpack_from("!4H", packet, 4)
        at, found = _skip_name(packet, HEADER) + 4, []
        for _ in range(sum(counts[1:])):
            at = _skip_name(packet, at)
            type_, _class, _ttl, length = struct.unpack_from("!HHIH", packet, at)
            if type_ != _OPT:
                found.append(at + 4)
            at += 10 + length
    except (struct.error, IndexError) as error:
        raise Malformed(str(error)) from error
    return tuple(found)


def _skip_name(packet: bytes, at: int) -> int:
    while packet[at]:
        if packet[at] & 0xC0:
            return at + 2
        at += packet[at] + 1
    return at + 1


def _question_end(packet: bytes) -> int:
    try:
        return _skip_name(packet, HEADER) + 4
    except IndexError:
        return len(packet)


def _empty(query: Query, code: str, *, authoritative: bool) -> Any:
    asked = query.message.header
    header = dnslib.DNSHeader(id=asked.id, qr=1, aa=int(authoritative), ra=1, rd=asked.rd, rcode=_CODES[code])
    header.opcode = asked.opcode
    return dnslib.DNSRecord(header, q=query.message.q)


def _add_edns(message: Any, query: Query) -> None:
    if query.edns is not None:
        message.add_ar(dnslib.EDNS0(udp_len=LARGEST_UDP))


def _record(record: Record) -> Any:
    type_ = dnslib.QTYPE.reverse[record.type]
    return dnslib.RR(_label(record.name), type_, ttl=record.ttl, rdata=_rdata(record))


def _rdata(record: Record) -> Any:
    if record.type == "SRV":
        priority, weight, port, target = record.data.split(" ")
        return dnslib.SRV(int(priority), int(weight), int(port), _label(target))
    if record.type == "SOA":
        server, mail, *times = record.data.split(" ")
        return dnslib.SOA(server, mail, tuple(int(item) for item in times))
    if record.type == "TXT":
        return dnslib.TXT(record.data.strip('"').encode())
    if record.type in ("A", "AAAA"):
        return _DATA[record.type](record.data)
    return _DATA[record.type](_label(record.data))


def _label(name: str) -> Any:
    """Bytes as they are: dnslib would read escapes and IDNA into text."""
    return dnslib.DNSLabel([label.encode("latin-1") for label in name.rstrip(".").split(".") if label])
