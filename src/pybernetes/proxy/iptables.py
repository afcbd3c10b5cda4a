"""Between rule sets and iptables' own text: what is there (`observe`), and what to write so that it becomes another.

`iptables-save` text flows in, `iptables-restore --noflush` text flows out; only what differs is written. Pure;
`kernel` runs the programs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pybernetes.proxy.rules import Chains, RuleSet, combine, comment

# Chains with these names belong to ports and endpoints, and go when those go.
_OWN = re.compile(r"KUBE-(?:SVC|SVL|EXT|FW|SEP)-[A-Z2-7]{16}$")
_NEW = "-m conntrack --ctstate NEW "
_PORTALS = comment("kubernetes service portals")
_EXTERNAL = comment("kubernetes externally-visible service portals")
_HEALTH = comment("kubernetes health check service ports")
_BALANCER = comment("kubernetes load balancer firewall")

# (table, built-in chain, rule): how packets come into the chains; each is put before what others have written.
JUMPS = (
    ("filter", "INPUT", f"{_NEW}{_EXTERNAL} -j KUBE-EXTERNAL-SERVICES"),
    ("filter", "FORWARD", f"{_NEW}{_EXTERNAL} -j KUBE-EXTERNAL-SERVICES"),
    ("filter", "INPUT", f"{_HEALTH} -j KUBE-NODEPORTS"),
    ("filter", "FORWARD", f"{_NEW}{_PORTALS} -j KUBE-SERVICES"),
    ("filter", "OUTPUT", f"{_NEW}{_PORTALS} -j KUBE-SERVICES"),
    ("filter", "FORWARD", f"{comment('kubernetes forwarding rules')} -j KUBE-FORWARD"),
    ("filter", "INPUT", f"{_NEW}{_BALANCER} -j KUBE-PROXY-FIREWALL"),
    ("filter", "OUTPUT", f"{_NEW}{_BALANCER} -j KUBE-PROXY-FIREWALL"),
    ("filter", "FORWARD", f"{_NEW}{_BALANCER} -j KUBE-PROXY-FIREWALL"),
    ("filter", "INPUT", "-j KUBE-FIREWALL"),
    ("filter", "OUTPUT", "-j KUBE-FIREWALL"),
    ("nat", "OUTPUT", f"{_PORTALS} -j KUBE-SERVICES"),
    ("nat", "PREROUTING", f"{_PORTALS} -j KUBE-SERVICES"),
    ("nat", "POSTROUTING", f"{comment('kubernetes postrouting rules')} -j KUBE-POSTROUTING"),
)


@dataclass(frozen=True)
class Present:
    """What the kernel has: per table, chains whose rules are known or None, and the jumps that are there."""

    chains: Mapping[str, Mapping[str, tuple[str, ...] | None]] = field(default_factory=dict)
    jumps: frozenset[tuple[str, str, str]] = frozenset()


def observe(table: str, saved: str) -> Present:
    """What `iptables-save -t TABLE` tells. Rules are not compared with it: it words them in its own way."""
    chains: dict[str, tuple[str, ...] | None] = {}
    jumps: set[tuple[str, str, str]] = set()
    for line in saved.splitlines():
        if line.startswith(":KUBE-"):
            chains[line[1:].partition(" ")[0]] = None
        elif line.startswith("-A ") and " -j KUBE-" in line:
            jumps.add((table, line.split(" ", 2)[1], line.rpartition(" -j ")[2]))
    return Present({table: chains}, frozenset(jumps))


def join(*parts: Present) -> Present:
    """One view of several tables."""
    chains = {table: known for part in parts for table, known in part.chains.items()}
    return Present(chains, frozenset(jump for part in parts for jump in part.jumps))


def applied(wanted: RuleSet) -> Present:
    """The view after `difference` has been carried out."""
    return Present(wanted.tables(), frozenset(_jump_key(jump) for jump in JUMPS))


def difference(present: Present, wanted: RuleSet) -> str:
    """The text that turns one into the other; empty when nothing differs."""
    return "".join(_table(table, present, chains) for table, chains in wanted.tables().items())


def removal(present: Present) -> str:
    """The text that takes away all that a proxy has written."""
    texts = []
    for table, known in present.chains.items():
        rules = [(name, rule) for name_table, name, rule in JUMPS if name_table == table]
        gone = [f"-D {name} {rule}" for name, rule in rules if _jump_key((table, name, rule)) in present.jumps]
        ours = [name for name in known if _OWN.match(name) or name in combine(()).tables()[table]]
        flushed, deleted = [f":{name} - [0:0]" for name in ours], [f"-X {name}" for name in ours]
        texts.append("\n".join([f"*{table}", *flushed, *gone, *deleted, "COMMIT\n"]) if ours else "")
    return "".join(texts)


def _table(table: str, present: Present, wanted: Chains) -> str:
    known = present.chains.get(table, {})
    changed = [name for name, rules in wanted.items() if name not in known or known[name] != rules]
    stale = [name for name in known if name not in wanted and _OWN.match(name)]
    jumps = [jump for jump in JUMPS if jump[0] == table and _jump_key(jump) not in present.jumps]
    if not (changed or stale or jumps):
        return ""
    # Naming a chain empties it, or makes it; so stale ones refer to nothing when they are deleted.
    lines = [f"*{table}", *(f":{name} - [0:0]" for name in (*changed, *stale))]
    lines += [f"-A {name} {rule}" for name in changed for rule in wanted[name]]
    lines += [f"-I {name} {rule}" for _, name, rule in reversed(jumps)]
    lines += [f"-X {name}" for name in stale]
    return "\n".join([*lines, "COMMIT\n"])


def _jump_key(jump: tuple[str, str, str]) -> tuple[str, str, str]:
    """A jump is known by where it is and where it leads, however its other words are put."""
    table, name, rule = jump
    return table, name, rule.rpartition("-j ")[2]
