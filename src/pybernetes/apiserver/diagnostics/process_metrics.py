"""What the process is: its time, memory and open files, under the names that Prometheus' own libraries give them."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from pybernetes.apiserver.diagnostics.exposition import Family

_PROC = Path("/proc/self")


def families() -> list[Family]:
    """As of now; empty where there is no /proc."""
    try:
        # What follows the command, which may hold blanks and parentheses; the first is the third of proc(5).
        fields = (_PROC / "stat").read_text().rpartition(")")[2].split()
        descriptors = len(os.listdir(_PROC / "fd"))
        booted = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime "))
    except (OSError, StopIteration):
        return []
    ticks = os.sysconf("SC_CLK_TCK")
    usage = resource.getrusage(resource.RUSAGE_SELF)
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    memory, _ = resource.getrlimit(resource.RLIMIT_AS)
    started = int(booted.split()[1]) + int(fields[19]) / ticks
    return [
        Family(f"process_{name}", type_, words, {(): value})
        for name, type_, words, value in (
            (
                "cpu_seconds_total",
                "counter",
                "Total user and system CPU time spent in seconds.",
                round(usage.ru_utime + usage.ru_stime, 2),
            ),
            ("max_fds", "gauge", "Maximum number of open file descriptors.", files),
            ("open_fds", "gauge", "Number of open file descriptors.", descriptors),
            (
                "resident_memory_bytes",
                "gauge",
                "Resident memory size in bytes.",
                int(fields[21]) * resource.getpagesize(),
            ),
            ("start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.", started),
            ("virtual_memory_bytes", "gauge", "Virtual memory size in bytes.", int(fields[20])),
            (
                "virtual_memory_max_bytes",
                "gauge",
                "Maximum amount of virtual memory available in bytes.",
                2**64 - 1 if memory == resource.RLIM_INFINITY else memory,
            ),
        )
    ]
