"""The words of a command line: flags anywhere between the arguments, as kubectl reads them.

`parse(words, flags)` gives `Words`: the arguments, the flags' values and what follows `--`. Pure; what cannot be read
is a `CommandError` in kubectl's wording.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pybernetes.kubectl.durations import parse_duration
from pybernetes.kubectl.failures import CommandError, error


@dataclass(frozen=True)
class Flag:
    """One flag. `bare` is what it means without a value; a switch means `true`."""

    name: str
    short: str = ""
    default: str = ""
    switch: bool = False
    bare: str = ""

    @property
    def alone(self) -> str:
        """The value when none is written with `=`; empty when one must follow."""
        return "true" if self.switch else self.bare


def switch(name: str, short: str = "", default: str = "false") -> Flag:
    return Flag(name, short, default, switch=True)


GLOBAL = (
    Flag("namespace", "n"),
    Flag("kubeconfig"),
    Flag("context"),
    Flag("cluster"),
    Flag("user"),
    Flag("server", "s"),
    Flag("token"),
    Flag("as"),
    Flag("as-group"),
    Flag("as-uid"),
    Flag("request-timeout", default="0"),
    Flag("v", "v"),
    Flag("cache-dir"),
    Flag("certificate-authority"),
    Flag("client-certificate"),
    Flag("client-key"),
    Flag("tls-server-name"),
    switch("insecure-skip-tls-verify"),
    switch("warnings-as-errors"),
    switch("match-server-version"),
    switch("help", "h"),
)


@dataclass(frozen=True)
class Words:
    """A command line, read. `rest` is what stood behind `--`, None when there was none."""

    arguments: tuple[str, ...] = ()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    flags: Mapping[str, Flag] = field(default_factory=dict)
    rest: tuple[str, ...] | None = None

    def given(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str) -> str:
        """The last value of a flag, or its default."""
        return self.values[name][-1] if name in self.values else self.flags[name].default

    def all(self, name: str) -> tuple[str, ...]:
        """Every value that the flag was given."""
        return self.values.get(name, ())

    def listed(self, name: str) -> tuple[str, ...]:
        """Every value, those of `a,b` apart."""
        return tuple(part for value in self.all(name) for part in value.split(",") if part)

    def on(self, name: str) -> bool:
        """Whether a switch is on; a flag that this verb does not have is off."""
        return name in self.flags and self.text(name).lower() in ("true", "1", "t")

    def number(self, name: str) -> int:
        value = self.text(name)
        try:
            return int(value)
        except ValueError:
            raise error(
                f'invalid argument "{value}" for "--{name}" flag: strconv.ParseInt: parsing "{value}": invalid syntax'
            ) from None

    def seconds(self, name: str) -> float:
        """A duration such as `1m30s`; a bare number is seconds."""
        value = self.text(name)
        try:
            return parse_duration(value)
        except ValueError as why:
            raise error(f'invalid argument "{value}" for "--{name}" flag: {why}') from None


def parse(words: Sequence[str], flags: Sequence[Flag], verb: str = "") -> Words:
    """Reads a command line; `CommandError` for a flag that is unknown or lacks its value."""
    reader = _Reader(flags, verb)
    queue = list(words)
    arguments: list[str] = []
    rest: tuple[str, ...] | None = None
    while queue:
        word = queue.pop(0)
        if word == "--":
            rest = tuple(queue)
            break
        if word.startswith("--"):
            reader.long(word[2:], queue)
        elif word.startswith("-") and word != "-":
            reader.short(word[1:], queue)
        else:
            arguments.append(word)
    values = {name: tuple(found) for name, found in reader.values.items()}
    return Words(tuple(arguments), values, reader.by_name, rest)


class _Reader:
    def __init__(self, flags: Sequence[Flag], verb: str) -> None:
        every = (*flags, *GLOBAL)
        # A verb's own short name goes before a global one, such as `-s`.
        self.by_name = {flag.name: flag for flag in reversed(every)}
        self.by_short = {flag.short: flag for flag in reversed(every) if flag.short}
        self.values: dict[str, list[str]] = {}
        self.hint = f"See 'kubectl {verb} --help' for usage."

    def long(self, text: str, queue: list[str]) -> None:
        name, equals, value = text.partition("=")
        flag = self.by_name.get(name)
        if flag is None:
            raise CommandError(f"error: unknown flag: --{name}\n{self.hint}")
        if not equals:
            value = flag.alone or self._next(queue, f"--{name}")
        self._take(flag, value)

    def short(self, letters: str, queue: list[str]) -> None:
        """`-it`, `-n kube-system`, `-nkube-system`, `-o=yaml`."""
        for position, letter in enumerate(letters):
            flag = self.by_short.get(letter)
            if flag is None:
                raise CommandError(f"error: unknown shorthand flag: {letter!r} in -{letters[position:]}\n{self.hint}")
            tail = letters[position + 1 :]
            if tail.startswith("="):
                return self._take(flag, tail[1:])
            if not flag.alone:
                return self._take(flag, tail or self._next(queue, f"{letter!r} in -{letters[position:]}"))
            self._take(flag, flag.alone)
        return None

    def _next(self, queue: list[str], shown: str) -> str:
        if not queue:
            raise CommandError(f"error: flag needs an argument: {shown}\n{self.hint}")
        return queue.pop(0)

    def _take(self, flag: Flag, value: str) -> None:
        if flag.switch and value.lower() not in ("true", "false", "1", "0", "t", "f"):
            raise error(
                f'invalid argument "{value}" for "--{flag.name}" flag: '
                f'strconv.ParseBool: parsing "{value}": invalid syntax'
            )
        self.values.setdefault(flag.name, []).append(value)
