"""Command lines as kubectl reads them."""

from __future__ import annotations

import pytest

from pybernetes.kubectl.durations import human, parse_duration
from pybernetes.kubectl.failures import CommandError
from pybernetes.kubectl.words import Flag, Words, parse, switch

FLAGS = (
    Flag("output", "o"),
    switch("stdin", "i"),
    switch("tty", "t"),
    Flag("dry-run", default="none", bare="unchanged"),
)


def read(*words: str) -> Words:
    return parse(words, FLAGS, "get")


@pytest.mark.parametrize(
    "words",
    [
        ("pods", "web", "-n", "kube-system", "-o", "yaml"),
        ("-n=kube-system", "pods", "-oyaml", "web"),
        ("--namespace", "kube-system", "pods", "--output=yaml", "web"),
        ("pods", "-nkube-system", "web", "-o=yaml"),
    ],
)
def test_flags_may_stand_anywhere_and_be_written_in_many_ways(words: tuple[str, ...]) -> None:
    found = read(*words)
    assert found.arguments == ("pods", "web")
    assert (found.text("namespace"), found.text("output")) == ("kube-system", "yaml")


def test_switches_join_and_two_dashes_end_the_flags() -> None:
    found = read("-it", "web", "--", "ls", "-l")
    assert found.on("stdin") and found.on("tty")
    assert (found.arguments, found.rest) == (("web",), ("ls", "-l"))


def test_a_switch_can_be_turned_off_and_a_flag_can_stand_alone() -> None:
    found = read("--stdin=false", "--dry-run", "web")
    assert not found.on("stdin")
    assert (found.text("dry-run"), found.arguments) == ("unchanged", ("web",))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--bogus",), "error: unknown flag: --bogus\nSee 'kubectl get --help' for usage."),
        (("-z",), "error: unknown shorthand flag: 'z' in -z\nSee 'kubectl get --help' for usage."),
        (("-o",), "error: flag needs an argument: 'o' in -o\nSee 'kubectl get --help' for usage."),
        (("--output",), "error: flag needs an argument: --output\nSee 'kubectl get --help' for usage."),
    ],
)
def test_what_cannot_be_read_is_told(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError) as failure:
        read(*words)
    assert failure.value.text == message


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"), (119, "119s"), (120, "2m"), (125, "2m5s"), (600, "10m"), (3 * 3600, "3h"), (3 * 3600 + 60, "3h1m"),
        (8 * 3600 + 60, "8h"), (2 * 86400, "2d"), (2 * 86400 + 3600, "2d1h"), (9 * 86400 + 3600, "9d"),
        (800 * 86400, "2y70d"), (9 * 365 * 86400, "9y"),
    ],
)  # fmt: skip
def test_ages_have_at_most_two_units(seconds: float, text: str) -> None:
    assert human(seconds) == text


def test_durations() -> None:
    assert [parse_duration(text) for text in ("30", "1m30s", "500ms", "-1s")] == [30, 90, 0.5, -1]
    with pytest.raises(ValueError, match='time: invalid duration "soon"'):
        parse_duration("soon")
