"""Which checks make up the levels of the Pod Security Standards, by minor version, and in upstream's order.

A level, a version and a pod's metadata and spec go in, violations come out. Called by `pod_security`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from pybernetes.api.types.core_v1 import PodSpec
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.apiserver.admission_plugins.pod_security_standards import baseline, restricted
from pybernetes.apiserver.admission_plugins.pod_security_standards.fields import masked_proc_mount
from pybernetes.apiserver.admission_plugins.pod_security_standards.violation import Check, Violation

# A minor version after all that there will be.
_LATEST = 1 << 30


class _Row(NamedTuple):
    """A check of one level and the minor versions that have it: from `since` on, and before `until`."""

    check: Check
    since: int = 0
    until: int = _LATEST + 1
    # From that version on a restricted check takes its place on the restricted level.
    replaced: int = _LATEST + 1


# From and before which minor versions the same sysctls are allowed.
_SYSCTLS = ((0, 27), (27, 29), (29, 32), (32, _LATEST + 1))
_BASELINE = (
    _Row(baseline.app_armor),
    _Row(baseline.capabilities, replaced=22),
    _Row(baseline.host_namespaces),
    _Row(baseline.host_path_volumes, replaced=0),
    _Row(baseline.host_ports),
    _Row(baseline.probe_hosts, since=34),
    _Row(baseline.privileged),
    _Row(masked_proc_mount, until=35),
    _Row(baseline.proc_mount, since=35, replaced=35),
    _Row(baseline.se_linux_before_1_31, until=31),
    _Row(baseline.se_linux, since=31),
    _Row(baseline.seccomp_annotations, until=19),
    _Row(baseline.seccomp, since=19, replaced=19),
    *(_Row(baseline.sysctls_of(since), since, until) for since, until in _SYSCTLS),
    _Row(baseline.host_process),
)
_RESTRICTED = (
    _Row(restricted.privilege_escalation, since=8, until=25),
    _Row(restricted.but_on_windows(restricted.privilege_escalation), since=25),
    _Row(restricted.capabilities, since=22, until=25),
    _Row(restricted.but_on_windows(restricted.capabilities), since=25),
    _Row(masked_proc_mount, since=35),
    _Row(restricted.volume_types),
    _Row(restricted.run_as_non_root),
    _Row(restricted.run_as_user, since=23),
    _Row(restricted.seccomp, since=19, until=25),
    _Row(restricted.but_on_windows(restricted.seccomp), since=25),
)


def violations(level: str, minor: int | None, meta: ObjectMeta, spec: PodSpec) -> list[Violation]:
    """What a level (privileged, baseline or restricted) of a minor version (None: the latest) forbids about a pod."""
    found = [check(meta, spec) for check in _checks_of(level, _LATEST if minor is None else min(minor, _LATEST))]
    return [violation for violation in found if violation is not None]


@lru_cache(maxsize=64)
def _checks_of(level: str, minor: int) -> tuple[Check, ...]:
    """The checks of a level of a minor version."""
    if level not in ("baseline", "restricted"):
        return ()
    strict = level == "restricted"
    rows = [row for row in _BASELINE if not (strict and row.replaced <= minor)] + [*(_RESTRICTED if strict else ())]
    return tuple(row.check for row in rows if row.since <= minor < row.until)
