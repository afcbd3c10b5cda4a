"""Which requests go on to nodes: the handlers of `connect`, by resource, sub-resource and verb, for the pipeline."""

from __future__ import annotations

from pybernetes.apiserver.admission_chain import AdmissionChain
from pybernetes.apiserver.connect.logs import Logs
from pybernetes.apiserver.connect.node_connection import NodeConnection
from pybernetes.apiserver.connect.pods import Connections
from pybernetes.apiserver.connect.proxy import Proxies
from pybernetes.apiserver.connect.remote_command import RemoteCommands
from pybernetes.apiserver.pipeline import Answer
from pybernetes.apiserver.reader import Reader
from pybernetes.environment.chance import Chance

_VERBS = ("get", "create", "update", "patch", "delete")


def connect_answers(
    reader: Reader, chain: AdmissionChain, nodes: NodeConnection, chance: Chance
) -> dict[tuple[str, str, str], Answer]:
    """The handlers of everything that a node answers."""
    connections = Connections(reader, chain, nodes)
    commands = RemoteCommands(connections)
    proxies = Proxies(connections, chance)
    answers: dict[tuple[str, str, str], Answer] = {
        ("pods", "log", "get"): Logs(connections).get,
        ("pods", "exec", "create"): commands.exec,
        ("pods", "attach", "create"): commands.attach,
        ("pods", "portforward", "create"): commands.port_forward,
    }
    for verb in _VERBS:
        answers["pods", "proxy", verb] = proxies.pods
        answers["services", "proxy", verb] = proxies.services
        answers["nodes", "proxy", verb] = proxies.nodes
    return answers
