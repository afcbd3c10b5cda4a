"""The text that Prometheus reads."""

from __future__ import annotations

import pytest

from pybernetes.apiserver.diagnostics.exposition import Distribution, Family, labels, number, text


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"), (0.0, "0"), (17, "17"), (60.0, "60"), (0.005, "0.005"), (0.0001, "0.0001"), (0.00001, "1e-05"),
        (999_999, "999999"), (1_000_000, "1e+06"), (1_234_567, "1.234567e+06"), (2.592e6, "2.592e+06"), (-3.5, "-3.5"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_go_writes_them(value: float, written: str) -> None:
    assert number(value) == written


def test_families_and_samples_are_in_order() -> None:
    requests = Family("requests_total", "counter", "Requests.", {labels(verb="PUT"): 2, labels(verb="GET"): 1})
    sizes = Family("a_size", "histogram", "Sizes.", {(): Distribution((1.0, 5.0), (2, 0, 1), 9.5)})
    nothing = Family("nothing", "gauge", "Nothing.", {})
    assert text([requests, nothing, sizes]).splitlines() == [
        "# HELP a_size Sizes.",
        "# TYPE a_size histogram",
        'a_size_bucket{le="1"} 2',
        'a_size_bucket{le="5"} 2',
        'a_size_bucket{le="+Inf"} 3',
        "a_size_sum 9.5",
        "a_size_count 3",
        "# HELP requests_total Requests.",
        "# TYPE requests_total counter",
        'requests_total{verb="GET"} 1',
        'requests_total{verb="PUT"} 2',
    ]


def test_values_of_labels_are_escaped() -> None:
    family = Family("x", "gauge", "A\\b\nc", {labels(a='say "\\"\n'): 1})
    assert text([family]) == '# HELP x A\\\\b\\nc\n# TYPE x gauge\nx{a="say \\"\\\\\\"\\n"} 1\n'
