"""What the steps of the walkthrough are made of: commands that are shown, conditions that are waited for, requests.

A step that does not hold raises `StepFailed`, which says what was expected and what was seen.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

Found = TypeVar("Found")
_PAUSE_SECONDS = 0.1
_PROGRESS_SECONDS = 2.0


class StepFailed(Exception):
    """A step of the walkthrough that does not hold."""


@dataclass(frozen=True)
class Place:
    """Where the walkthrough happens: the cluster's name, its kubeconfig, its examples, its nodes' host addresses."""

    cluster: str
    kubeconfig: Path
    examples: Path
    host_addresses: dict[str, str]
    # The sockets of the nodes' container engines.
    engines: dict[str, Path]
    logs: Path


def kubectl_command() -> list[str]:
    """The real kubectl, or ours where there is none."""
    found = shutil.which("kubectl")
    return [found] if found else pyb_command("kubectl")


def pyb_command(*words: str) -> list[str]:
    """This very `pyb`."""
    return [sys.executable, "-m", "pybernetes.cli.main", *words]


@dataclass
class Walk:
    """Runs commands against one cluster and tells what it does through `say`."""

    place: Place
    say: Callable[[str], None]
    kubectl: list[str] = field(default_factory=kubectl_command)

    def environment(self) -> dict[str, str]:
        return {**os.environ, "KUBECONFIG": str(self.place.kubeconfig)}

    def run(self, words: Sequence[str], stdin: str = "", seconds: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Runs a command quietly to its end."""
        try:
            return subprocess.run(
                list(words), input=stdin, text=True, capture_output=True, env=self.environment(), timeout=seconds,
                check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise StepFailed(f"{' '.join(words)} did not end within {seconds:.0f} s") from error

    def show(self, *words: str, stdin: str = "", fails: bool = False) -> str:
        """Runs a kubectl command for all to see; its output. `fails` when it is expected to end with an error."""
        self.say(f"\n$ kubectl {' '.join(_quoted(word) for word in words)}")
        done = self.run([*self.kubectl, *words], stdin)
        output = done.stdout + done.stderr
        self.say(output.rstrip())
        if bool(done.returncode) != fails:
            expected = "to fail" if fails else "to succeed"
            raise StepFailed(f"expected `kubectl {' '.join(words)}` {expected}; exit code {done.returncode}: {output}")
        return output

    def ask(self, *words: str) -> str:
        """The output of a kubectl command that nobody needs to see."""
        done = self.run([*self.kubectl, *words])
        if done.returncode:
            raise StepFailed(f"`kubectl {' '.join(words)}` ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def objects(self, resource: str, *words: str) -> list[dict[str, Any]]:
        """Objects as `kubectl get -o json` gives them."""
        found = json.loads(self.ask("get", resource, *words, "-o", "json"))
        return list(found["items"]) if "items" in found else [found]

    def pods(self, selector: str = "app=nginx") -> list[dict[str, Any]]:
        """The pods of a selector that are not being deleted."""
        found = self.objects("pods", "-l", selector)
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def ready_pods(self, selector: str = "app=nginx") -> list[dict[str, Any]]:
        """Those that are Ready."""
        return [pod for pod in self.pods(selector) if condition(pod, "Ready") == "True"]

    def wait(self, what: str, look: Callable[[], Found], seconds: float = 60.0) -> Found:
        """Looks until there is something true, with a progress line now and then; StepFailed after `seconds`."""
        began = told = time.monotonic()
        while not (found := look()):
            now = time.monotonic()
            if now - began > seconds:
                raise StepFailed(f"waited {seconds:.0f} s in vain: {what}")
            if now - told > _PROGRESS_SECONDS:
                self.say(f"  ... waiting: {what} ({now - began:.0f} s)")
                told = now
            time.sleep(_PAUSE_SECONDS)
        self.say(f"  {what}: after {time.monotonic() - began:.1f} s")
        return found

    def check(self, holds: object, what: str) -> None:
        """Says what holds, or fails."""
        if not holds:
            raise StepFailed(f"does not hold: {what}")
        self.say(f"  ok: {what}")

    def pyb(self, *words: str) -> str:
        """Runs a `pyb` command for all to see."""
        return self._loud(f"pyb {' '.join(words)}", pyb_command(*words))

    def shell(self, *words: str) -> str:
        """Runs another command for all to see."""
        return self._loud(" ".join(words), words)

    def _loud(self, shown: str, words: Sequence[str]) -> str:
        self.say(f"\n$ {shown}")
        done = self.run(words)
        self.say((done.stdout + done.stderr).rstrip())
        if done.returncode:
            raise StepFailed(f"`{shown}` ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def example(self, name: str, **replaced: str) -> str:
        """The text of an example with lines replaced: `replicas: 1` -> `replicas: 4`."""
        text = (self.place.examples / name).read_text()
        for key, value in replaced.items():
            text = "\n".join(_with_value(line, key, value) for line in text.splitlines()) + "\n"
        return text


def _with_value(line: str, key: str, value: str) -> str:
    head, found, _ = line.partition(f"{key}: ")
    return f"{head}{key}: {value}" if found and not head.strip(" -") else line


def condition(obj: dict[str, Any], type_: str) -> str:
    """The status of a condition of an object; "" when it has none."""
    listed = obj.get("status", {}).get("conditions", [])
    return next((str(item["status"]) for item in listed if item["type"] == type_), "")


def fetch(url: str, seconds: float = 5.0) -> str:
    """The body of a page. Raises OSError when there is none."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=seconds) as answer:
        return str(answer.read().decode())


def try_fetch(url: str) -> str:
    """The body of a page, or "" when there is none now."""
    try:
        return fetch(url)
    except (OSError, urllib.error.URLError):
        return ""


def _quoted(word: str) -> str:
    return f"'{word}'" if any(letter in word for letter in " {}$|;<>*") else word
