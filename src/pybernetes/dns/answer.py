"""The answer to a DNS question about the cluster: a pure function of the question and the `ZoneData`.

Names, targets, weights and codes are those of CoreDNS with its `kubernetes` plug-in (`pods insecure`). `server` asks,
and forwards what is None here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from pybernetes.dns.options import TTL
from pybernetes.dns.records import Port, ZoneData

VERSION = "1.1.0"  # of the specification of DNS in Kubernetes
_LONGEST_CHAIN = 8
_ADDRESS_TYPES = {"A": 4, "AAAA": 6}


@dataclass(frozen=True)
class Question:
    """The name ends with a dot and keeps the case in which it was asked."""

    name: str
    type: str


@dataclass(frozen=True)
class Record:
    """One resource record; `data` is in the form of zone files."""

    name: str
    type: str
    data: str
    ttl: int = TTL


@dataclass(frozen=True)
class Answer:
    """`chase` is a name outside of the cluster at which the CNAMEs in `answers` end: its addresses belong to it."""

    code: str = "NOERROR"
    answers: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    chase: str = ""


@dataclass(frozen=True)
class _Item:
    """Something that a name stands for: an address with the name it is known by, or another name."""

    host: str
    name: str = ""
    port: int | None = None
    alias: bool = False


def answer(question: Question, zone: ZoneData) -> Answer | None:
    """None when others are to be asked: the name is not of this cluster."""
    name = question.name.strip(".").lower()
    if name.endswith((".in-addr.arpa", ".ip6.arpa")):
        return _reverse(question, name, zone)
    if name != zone.domain and not name.endswith(f".{zone.domain}"):
        return None
    labels = name[: -len(zone.domain)].strip(".").split(".") if name != zone.domain else []
    special = _special(question, labels, zone)
    if special is not None:
        return special
    items = _find(labels, zone)
    if items is None:
        return Answer("NXDOMAIN", authority=(soa(zone),))
    return _answer(question, items, zone)


def soa(zone: ZoneData) -> Record:
    """The record that tells how long to remember that something does not exist."""
    domain = zone.domain
    data = f"ns.dns.{domain}. hostmaster.{domain}. {zone.version} 7200 1800 86400 {TTL}"
    return Record(f"{domain}.", "SOA", data)


def _no_data(zone: ZoneData) -> Answer:
    return Answer(authority=(soa(zone),))


def _special(question: Question, labels: Sequence[str], zone: ZoneData) -> Answer | None:
    """The names that are of the zone itself."""
    if not labels and question.type == "SOA":
        return Answer(answers=(soa(zone),))
    if not labels and question.type == "NS":
        extra = tuple(Record(f"ns.dns.{zone.domain}.", "A", item.host) for item in _name_server(zone))
        return Answer(answers=(Record(question.name, "NS", f"ns.dns.{zone.domain}."),), additional=extra)
    if labels == ["dns-version"]:
        text = (Record(question.name, "TXT", f'"{VERSION}"'),)
        return Answer(answers=text) if question.type == "TXT" else _no_data(zone)
    return None


def _name_server(zone: ZoneData) -> tuple[_Item, ...]:
    service = zone.service("kube-system", "kube-dns")
    return tuple(_Item(address, f"ns.dns.{zone.domain}.") for address in (service.addresses if service else ()))


def _find(labels: Sequence[str], zone: ZoneData) -> tuple[_Item, ...] | None:
    """What a name (without the domain) stands for: nothing for a name above others, None for one that is not there."""
    if not labels or labels in (["svc"], ["pod"]):
        return ()
    if labels == ["ns", "dns"]:
        return _name_server(zone) or None
    *rest, kind = labels
    if kind not in ("svc", "pod") or not zone.has_namespace(rest[-1]):
        return None
    *rest, namespace = rest
    if not rest:
        return ()
    if kind == "pod":
        return _find_pod(rest, f"{namespace}.pod.{zone.domain}.")
    return _find_service(rest, namespace, zone)


def _find_pod(labels: Sequence[str], suffix: str) -> tuple[_Item, ...] | None:
    """The address is in the name itself; no pod is looked for."""
    if len(labels) != 1:
        return None
    text = labels[0]
    dotted = text.replace("-", ".") if text.count("-") == 3 and "--" not in text else text.replace("-", ":")
    return (_Item(dotted, f"{text}.{suffix}"),) if _version(dotted) else None


def _find_service(labels: Sequence[str], namespace: str, zone: ZoneData) -> tuple[_Item, ...] | None:
    """`service`, `endpoint.service` or `_port._protocol.service`."""
    *rest, name = labels
    service = zone.service(namespace, name)
    if service is None or len(rest) > 2:
        return None
    endpoint = rest[0] if len(rest) == 1 else ""
    wanted = (rest[0].removeprefix("_"), rest[1].removeprefix("_")) if len(rest) == 2 else ("", "")
    if service.external_name:
        return (_Item(f"{service.external_name.strip('.')}.", alias=True),) if not rest else None
    base = f"{name}.{namespace}.svc.{zone.domain}."
    if endpoint or not service.addresses:
        items = [
            _Item(entry.address, f"{entry.label}.{base}", port.number)
            for entry in zone.endpoints(namespace, name)
            if not endpoint or entry.label == endpoint
            for port in entry.ports
            if _matches(port, *wanted)
        ]
    else:
        ports = [port for port in service.ports if _matches(port, *wanted)]
        items = [_Item(address, base, port.number) for port in ports for address in service.addresses]
    return tuple(items) or None


def _matches(port: Port, name: str, protocol: str) -> bool:
    return name in ("", port.name) and protocol in ("", port.protocol)


def _answer(question: Question, items: Sequence[_Item], zone: ZoneData) -> Answer:
    if question.type in ("A", "AAAA", "CNAME"):
        return _addresses(question, items, zone)
    if question.type == "SRV":
        return _servers(question, items, zone)
    return _no_data(zone)


def _addresses(question: Question, items: Sequence[_Item], zone: ZoneData) -> Answer:
    records: dict[Record, None] = {}
    for _ in range(_LONGEST_CHAIN):
        name = next(reversed(records)).data if records else question.name
        aliases = [item for item in items if item.alias]
        if not aliases:
            version = _ADDRESS_TYPES.get(question.type)
            records.update({Record(name, question.type, i.host): None for i in items if _version(i.host) == version})
            break
        target = aliases[0].host
        records[Record(name, "CNAME", target)] = None
        if question.type == "CNAME":
            break
        target_name = target.strip(".").lower()
        if not target_name.endswith(f".{zone.domain}"):
            return Answer(answers=tuple(records), chase=target)
        items = _find(target_name[: -len(zone.domain) - 1].split("."), zone) or ()
    return Answer(answers=tuple(records)) if records else _no_data(zone)


def _servers(question: Question, items: Sequence[_Item], zone: ZoneData) -> Answer:
    """Equal weights, and the addresses of the targets beside them."""
    ports = [item for item in items if item.port is not None or item.alias]
    weight = max(100 // len(ports), 1) if ports else 0
    answers: dict[Record, None] = {}
    additional: dict[Record, None] = {}
    for item in ports:
        if item.alias:
            answers[Record(question.name, "SRV", f"0 {weight} 0 {item.host}")] = None
            continue
        answers[Record(question.name, "SRV", f"0 {weight} {item.port} {item.name}")] = None
        additional[Record(item.name, "A" if _version(item.host) == 4 else "AAAA", item.host)] = None
    return Answer(answers=tuple(answers), additional=tuple(additional)) if answers else _no_data(zone)


def _reverse(question: Question, name: str, zone: ZoneData) -> Answer | None:
    address = _reversed_address(name)
    names = []
    service = zone.service_at(address) if address else None
    if service is not None:
        names = [f"{service.name}.{service.namespace}"]
    elif address:
        names = [f"{label}.{name}.{namespace}" for (namespace, name), label in zone.endpoints_at(address)]
    if not names:
        return None
    if question.type != "PTR":
        return _no_data(zone)
    return Answer(answers=tuple(Record(question.name, "PTR", f"{item}.svc.{zone.domain}.") for item in names))


def _reversed_address(name: str) -> str:
    """The address that `4.3.2.1.in-addr.arpa` or its IPv6 kin is about; empty for anything else."""
    labels = name.split(".")[:-2][::-1]
    six = name.endswith(".ip6.arpa")
    if six and len(labels) == 32:
        digits = "".join(labels)
        text = ":".join(digits[at : at + 4] for at in range(0, 32, 4))
        return str(IPv6Address(text)) if _version(text) else ""
    text = ".".join(labels)
    return text if not six and _version(text) == 4 else ""


def _version(text: str) -> int:
    """4 or 6; 0 for what is no address."""
    try:
        return 4 if isinstance(ip_address(text), IPv4Address) else 6
    except ValueError:
        return 0
