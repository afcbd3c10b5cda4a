"""What every handler begins with: the pod, its kubelet, admission of CONNECT; and how a node's refusals are told."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, urlencode

from pybernetes.api.kind import Kind
from pybernetes.api.kinds import kind_of
from pybernetes.api.objects import ApiObject
from pybernetes.api.status import StatusError, bad_request, failure, not_found
from pybernetes.api.types.core_v1 import Node, Pod
from pybernetes.api.types.meta_v1 import StatusDetails
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_chain import AdmissionChain
from pybernetes.apiserver.connect.node_connection import Backend, NodeConnection, Unreachable
from pybernetes.apiserver.connect.options import connect_options, options_kind
from pybernetes.apiserver.connect.targets import kubelet_of
from pybernetes.apiserver.reader import Reader
from pybernetes.apiserver.request import Authenticated

_PODS = kind_of(Pod)
_WORDS = {
    401: ("Unauthorized", "the server has asked for the client to provide credentials"),
    403: ("Forbidden", ""),
    404: ("NotFound", "the server could not find the requested resource"),
    405: ("MethodNotAllowed", "the server does not allow this method on the requested resource"),
    503: ("ServiceUnavailable", ""),
}


class Connections:
    """What the handlers share: the stored objects, admission and the way to the nodes."""

    def __init__(self, reader: Reader, chain: AdmissionChain, nodes: NodeConnection) -> None:
        self.reader = reader
        self.nodes = nodes
        self._chain = chain

    def pod(self, asked: Authenticated) -> Pod:
        """The pod of the path; 404 when there is none."""
        return self.named_pod(asked, asked.info.name)

    def named_pod(self, asked: Authenticated, name: str) -> Pod:
        pod = self.reader.get(Pod, name, asked.info.namespace)
        if pod is None:
            raise not_found(_PODS, name)
        return pod

    def kubelet(self, pod: Pod) -> Backend:
        """The kubelet that runs a pod; 400 when none does."""
        if not pod.spec.node_name:
            raise bad_request(f"pod {pod.metadata.name} does not have a host assigned")
        return kubelet_of(self.reader.get(Node, pod.spec.node_name), pod.spec.node_name)

    async def admit(self, asked: Authenticated, tail: str = "") -> ApiObject:
        """Asks the admission plug-ins about a CONNECT; the options that they leave. `tail` is what follows `/proxy`."""
        info = asked.info
        kind: Kind | None = info.kind
        assert kind is not None
        if any(key == "dryRun" for key, _value in asked.request.query):
            raise bad_request("dryRun is not supported")
        part = options_kind(info.resource, info.subresource)
        options = connect_options(part, asked.request, tail)
        admission = AdmissionRequest(
            operation="CONNECT",
            kind=kind,
            subresource=info.subresource,
            namespace=info.namespace,
            name=info.name,
            user=asked.user,
            object=options,
            old_object=None,
            part=part,
            requested=kind,
            headers=asked.request.headers,
        )
        await self._chain.admit(admission)
        await self._chain.validate(admission)
        return options


def target_of(parts: Iterable[str], query: Iterable[tuple[str, str]]) -> str:
    """Path and query of a request line. Pure."""
    path = "/" + "/".join(quote(part, safe="") for part in parts)
    text = urlencode(list(query), quote_via=quote)
    return f"{path}?{text}" if text else path


def dialing(error: Unreachable) -> StatusError:
    """A backend that does not answer, as upstream words it for upgrades and proxies."""
    return failure(500, "", f"error dialing backend: {error}")


def refused_by_node(code: int, text: str, kind: str, name: str) -> StatusError:
    """A kubelet's answer that is no success, as the API's own. Pure."""
    if code == 400:
        return bad_request(text)
    if code == 500:
        return failure(500, "InternalError", f"Internal error occurred: {text}")
    reason, words = _WORDS.get(code, ("", ""))
    words = words or f"the server responded with the status code {code} but did not return more information"
    return failure(code, reason, f"{words} ( {kind} {name})", StatusDetails(name=name, kind=kind))
