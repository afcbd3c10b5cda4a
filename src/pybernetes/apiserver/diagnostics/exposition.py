"""Numbers as Prometheus reads them: families of samples go in, the text of /metrics comes out. Pure.

The order and the spelling are those of Prometheus' own library for Go: families by name, samples by their labels,
floats in the shortest form.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
# Label names and values in the order of the names.
Labels = tuple[tuple[str, str], ...]
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@dataclass(frozen=True, slots=True)
class Distribution:
    """The value of a histogram: `counts` are per bucket, the last one for what is above all bounds."""

    bounds: Sequence[float]
    counts: Sequence[int]
    total: float


@dataclass(frozen=True, slots=True)
class Family:
    """One metric with all its label sets. `type` is counter, gauge or histogram; `help` says the stability first."""

    name: str
    type: str
    help: str
    samples: Mapping[Labels, float | Distribution]


def labels(**named: str) -> Labels:
    """A label set."""
    return tuple(sorted(named.items()))


def text(families: Iterable[Family]) -> str:
    """The exposition. Families without samples are left out, as a vector that nobody has counted in."""
    return "".join(
        line + "\n"
        for family in sorted(families, key=lambda one: one.name)
        if family.samples
        for line in _lines(family)
    )


def _lines(family: Family) -> Iterator[str]:
    yield f"# HELP {family.name} {_escaped_help(family.help)}"
    yield f"# TYPE {family.name} {family.type}"
    for named, value in sorted(family.samples.items(), key=lambda sample: sample[0]):
        if isinstance(value, Distribution):
            yield from _histogram(family.name, named, value)
        else:
            yield f"{family.name}{_braces(named)} {number(value)}"


def _histogram(name: str, named: Labels, value: Distribution) -> Iterator[str]:
    bounds = (*map(number, value.bounds), "+Inf")
    total = 0
    for bound, total in zip(bounds, accumulate(value.counts), strict=True):
        yield f"{name}_bucket{_braces((*named, ('le', bound)))} {number(total)}"
    yield f"{name}_sum{_braces(named)} {number(value.total)}"
    yield f"{name}_count{_braces(named)} {number(total)}"


def _braces(named: Labels) -> str:
    return "{" + ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in named) + "}" if named else ""


def _escaped_help(words: str) -> str:
    return words.replace("\\", r"\\").replace("\n", r"\n")


def number(value: float) -> str:
    """A number as Go's %g writes it: `1`, `0.005`, `1e+06`, `1.234567e+06`."""
    if isinstance(value, int) and 0 <= value < 1_000_000:
        return str(value)
    exact = Decimal(repr(value)).normalize()
    if not exact:
        return "0"
    power = exact.adjusted()
    if -4 <= power < 6:
        return f"{exact:f}"
    sign, digits, _ = exact.as_tuple()
    fraction = "".join(map(str, digits[1:]))
    point = "." if fraction else ""
    return f"{'-' if sign else ''}{digits[0]}{point}{fraction}e{'+' if power >= 0 else '-'}{abs(power):02d}"
