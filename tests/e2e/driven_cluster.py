"""The real kubectl on a cluster of a test: runs it, waits with it, reads what it says, and finds pods' processes."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

from pybernetes.cluster.layout import Layout


class Cluster:
    """A cluster of this test, by the real kubectl."""

    def __init__(self, name: str) -> None:
        self.layout = Layout(name)
        self.environment = {**os.environ, "KUBECONFIG": str(self.layout.kubeconfig("admin"))}

    def run(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        command = ("kubectl", *words)
        return subprocess.run(
            command, input=given, capture_output=True, text=True, timeout=90, env=self.environment, check=False
        )

    def __call__(self, *words: str, given: str = "") -> str:
        done = self.run(*words, given=given)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def get(self, *words: str) -> Any:
        return json.loads(self("get", *words, "-o", "json"))

    def wait(self, what: str, *conditions: str, seconds: int = 60) -> None:
        """Until each `path=value` (below .status) or condition holds."""
        for condition in conditions:
            plain = condition.partition("=")[0].isalpha() and condition[0].isupper()
            wanted = f"condition={condition}" if plain else f"jsonpath={{.status.{condition.replace('=', '}=')}"
            wanted += "" if plain or "=" in condition else "}"
            self("wait", what, f"--for={wanted}", f"--timeout={seconds}s")

    def inside(self, pod: str, script: str, container: str = "") -> list[str]:
        """The lines that a shell in a container prints, errors among them."""
        chosen = ("-c", container) if container else ()
        return self("exec", pod, *chosen, "--", "sh", "-c", f"exec 2>&1; {script}; true").splitlines()

    def states(self, pod: str, kind: str = "containerStatuses") -> dict[str, Any]:
        return {each["name"]: each for each in self.get("pod", pod)["status"].get(kind, [])}

    def ended(self, pod: str) -> dict[str, Any]:
        """The terminated state of each container."""
        return {name: each["state"]["terminated"] for name, each in self.states(pod).items()}

    def events(self, pod: str, reason: str) -> str:
        chosen = f"involvedObject.name={pod},reason={reason}"
        return "\n".join(event["message"] for event in self.get("events", f"--field-selector={chosen}")["items"])


def processes_of(uid: str) -> list[int]:
    """The processes of a pod, which stand in control groups of its name."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cgroup"):
        with suppress(OSError):
            if uid in path.read_text():
                found.append(int(path.parent.name))
    return found
