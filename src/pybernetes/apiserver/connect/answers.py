"""Which requests go on to nodes: the handlers of `connect`, by resource, sub-resource and verb, for the pipeline."""

from __future__ import annotations

from pybernetes.apiserver.admission_chain import AdmissionChain
from pybernetes.apiserver.connect.node_connection import NodeConnection
from pybernetes.apiserver.connect.pods import Connections
from pybernetes.apiserver.pipeline import Answer
from pybernetes.apiserver.reader import Reader
from pybernetes.environment.chance import Chance
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.apiserver.connect import logs, proxy, remote_command

# The empty one is that of OPTIONS.
_VERBS = ("get", "create", "update", "patch", "delete", "")


def connect_answers(
    reader: Reader, chain: AdmissionChain, nodes: NodeConnection, chance: Chance
) -> dict[tuple[str, str, str], Answer]:
    """The handlers of everything that a node answers; each is imported by the first request for it."""
    connections = Connections(reader, chain, nodes)
    answers: dict[tuple[str, str, str], Answer] = {
        ("pods", "log", "get"): lambda asked: logs.Logs(connections).get(asked),
        ("pods", "exec", "create"): lambda asked: remote_command.RemoteCommands(connections).exec(asked),
        ("pods", "attach", "create"): lambda asked: remote_command.RemoteCommands(connections).attach(asked),
        ("pods", "portforward", "create"): lambda asked: remote_command.RemoteCommands(connections).port_forward(asked),
    }
    for verb in _VERBS:
        answers["pods", "proxy", verb] = lambda asked: proxy.Proxies(connections, chance).pods(asked)
        answers["services", "proxy", verb] = lambda asked: proxy.Proxies(connections, chance).services(asked)
        answers["nodes", "proxy", verb] = lambda asked: proxy.Proxies(connections, chance).nodes(asked)
    return answers
