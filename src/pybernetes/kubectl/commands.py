"""kubectl's verbs: a command line goes in, the verb's module does it, the exit code comes out.

A verb is a module with `FLAGS` and `async run(session, words) -> int`; it is imported when it is used. `cli.kubectl`
and tests call `run`.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TextIO
from urllib.parse import urlsplit

from pybernetes.api.status import StatusError
from pybernetes.client import ConfigError, Unreachable
from pybernetes.kubectl.failures import CommandError, explained
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.words import GLOBAL, Words, parse

OpenSession = Callable[[Words], Session]

# Verb -> its module, and the line of help.
VERBS = {
    "get": ("get", "Display one or many resources"),
    "describe": ("describe.verb", "Show details of a specific resource or group of resources"),
    "apply": ("apply", "Apply a configuration to a resource by file name or stdin"),
    "create": ("create", "Create a resource from a file or from stdin"),
    "replace": ("replace", "Replace a resource by file name or stdin"),
    "delete": ("delete", "Delete resources by file names, stdin, resources and names, or by label selector"),
    "scale": ("scale", "Set a new size for a deployment, replica set, or replication controller"),
    "patch": ("patch", "Update fields of a resource"),
    "set": ("set", "Set specific features on objects"),
    "label": ("label", "Update the labels on a resource"),
    "annotate": ("label", "Update the annotations on a resource"),
    "rollout": ("rollout", "Manage the rollout of a resource"),
    "wait": ("wait", "Wait for a specific condition on one or many resources"),
    "logs": ("logs", "Print the logs for a container in a pod"),
    "exec": ("execute", "Execute a command in a container"),
    "attach": ("execute", "Attach to a running container"),
    "port-forward": ("port_forward", "Forward one or more local ports to a pod"),
    "cp": ("copy", "Copy files and directories to and from containers"),
    "cordon": ("nodes", "Mark node as unschedulable"),
    "uncordon": ("nodes", "Mark node as schedulable"),
    "drain": ("drain", "Drain node in preparation for maintenance"),
    "taint": ("taint", "Update the taints on one or more nodes"),
    "top": ("top", "Display resource (CPU/memory) usage"),
    "version": ("cluster", "Print the client and server version information"),
    "cluster-info": ("cluster", "Display cluster information"),
    "api-versions": ("cluster", "Print the supported API versions on the server"),
    "api-resources": ("cluster", "Print the supported API resources on the server"),
    "auth": ("auth", "Inspect authorization"),
}
_SHORTHANDS = {"log": "logs"}


async def run(
    words: Sequence[str], open_session: OpenSession, out: TextIO | None = None, err: TextIO | None = None
) -> int:
    """Carries out a command line; the exit code. Failures are told on `err`."""
    out, err = out or sys.stdout, err or sys.stderr
    session: Session | None = None
    try:
        verb, module, read = _read(words)
        if module is None or read.on("help"):
            out.write(_help(verb))
            return 0
        session = open_session(read)
        session.out, session.err = out, err
        command: Callable[[Session, Words], Awaitable[int]] = module.run
        return await command(session, read)
    except CommandError as failure:
        return _told(failure, err)
    except (StatusError, Unreachable, ConfigError) as failure:
        return _told(explained(failure, urlsplit(session.server).netloc if session else ""), err)
    finally:
        if session is not None:
            await session.client.close()


def _read(words: Sequence[str]) -> tuple[str, Any, Words]:
    """The verb, its module and the words behind it. Flags may stand before the verb."""
    position = _verb_position(words)
    if position is None:
        return "", None, Words()
    verb = _SHORTHANDS.get(words[position], words[position])
    if verb in ("help", "options"):
        return "", None, Words()
    if verb not in VERBS:
        raise CommandError(f'error: unknown command "{verb}" for "kubectl"')
    module = importlib.import_module(f"pybernetes.kubectl.{VERBS[verb][0]}")
    read = parse([*words[:position], *words[position + 1 :]], module.FLAGS, verb)
    # A module that serves several verbs finds its own before the arguments.
    first = (verb,) if getattr(module, "VERB_FIRST", False) else ()
    return verb, module, Words((*first, *read.arguments), read.values, read.flags, read.rest)


def _verb_position(words: Sequence[str]) -> int | None:
    position = 0
    while position < len(words):
        word = words[position]
        if not word.startswith("-"):
            return position
        # Of the flags that may stand before a verb these take the next word.
        position += 2 if word in _WITH_VALUE else 1
    return None


_WITH_VALUE = frozenset(
    dashed
    for flag in GLOBAL
    if not flag.alone
    for dashed in (f"--{flag.name}", *([f"-{flag.short}"] if flag.short else ()))
)


def _told(failure: CommandError, err: TextIO) -> int:
    if failure.text:
        err.write(f"{failure.text}\n")
        err.flush()
    return failure.code


def _help(verb: str) -> str:
    if verb:
        return f"kubectl {verb}: {VERBS[verb][1]}.\n"
    lines = "".join(f"  {name:<14}{text}\n" for name, (_module, text) in VERBS.items())
    return f"pyb kubectl controls a Kubernetes cluster.\n\nCommands:\n{lines}"
