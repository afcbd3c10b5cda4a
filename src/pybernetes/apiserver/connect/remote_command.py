"""exec, attach and port-forward: WebSocket sub-protocols and SPDY from clients, SPDY/3.1 to the kubelet.

A kubelet is asked first, so that its refusal is an answer like any other and not the end of a WebSocket.
"""

from __future__ import annotations

from collections.abc import Iterable

from pybernetes.api.status import bad_request
from pybernetes.api.wire import Request, Response, Upgrade
from pybernetes.apiserver.connect.command_session import CommandSession
from pybernetes.apiserver.connect.node_connection import Backend, Call, Unreachable, Upgraded
from pybernetes.apiserver.connect.options import PodAttachOptions, PodExecOptions, PodPortForwardOptions
from pybernetes.apiserver.connect.pods import Connections, dialing, target_of
from pybernetes.apiserver.connect.relay import relayed
from pybernetes.apiserver.connect.targets import chosen_container
from pybernetes.apiserver.connect.web_socket import SUB_PROTOCOLS, is_web_socket, offered
from pybernetes.apiserver.request import Authenticated
from pybernetes.streaming import port_forward
from pybernetes.streaming.channels import REMOTE_COMMAND, choose, offered_protocols
from pybernetes.streaming.remote_command import VERSION_HEADER, VERSIONS, CommandStreams

SPDY = "SPDY/3.1"


class RemoteCommands:
    """Handlers of pods' exec, attach and portforward."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def exec(self, asked: Authenticated) -> Response:
        """`pods/NAME/exec`: a command that is started in a container."""
        return await self._command(asked, "exec")

    async def attach(self, asked: Authenticated) -> Response:
        """`pods/NAME/attach`: a container's main process."""
        return await self._command(asked, "attach")

    async def port_forward(self, asked: Authenticated) -> Response:
        """`pods/NAME/portforward`: TCP connections to ports inside of a pod."""
        request, options = asked.request, await self._connections.admit(asked)
        assert isinstance(options, PodPortForwardOptions)
        kubelet = self._connections.kubelet(self._connections.pod(asked))
        path = ("portForward", asked.info.namespace, asked.info.name)
        target = target_of(path, ())
        if not is_web_socket(request):
            return await self._passed_on(request, kubelet, target)
        if port_forward.TUNNEL_PROTOCOL not in offered(request):
            ports = ",".join(map(str, options.ports))
            return await self._web_socket(request, kubelet, target_of(path, (("port", ports),) if ports else ()))
        answer = await self._spdy(kubelet, target, (port_forward.PROTOCOL,))
        if isinstance(answer, Response):
            return answer
        return Response(101, upgrade=Upgrade(port_forward.TUNNEL_PROTOCOL, relayed(answer.stream)))

    async def _command(self, asked: Authenticated, what: str) -> Response:
        request, options = asked.request, await self._connections.admit(asked)
        assert isinstance(options, PodAttachOptions)
        pod = self._connections.pod(asked)
        container = chosen_container(pod, options.container)
        streams = streams_of(options)
        command = [("command", word) for word in options.command] if isinstance(options, PodExecOptions) else []
        kubelet = self._connections.kubelet(pod)
        path = (what, asked.info.namespace, asked.info.name, container)
        target = target_of(path, (*command, *kubelet_flags(streams)))
        if not is_web_socket(request):
            return await self._passed_on(request, kubelet, target)
        protocol = choose(offered(request), REMOTE_COMMAND)
        if protocol is None:
            raise bad_request("unable to upgrade: none of the sub-protocols is served")
        answer = await self._spdy(kubelet, target, VERSIONS)
        if isinstance(answer, Response):
            return answer
        return Response(101, upgrade=Upgrade(protocol.name, CommandSession(protocol, streams, answer.stream).serve))

    async def _web_socket(self, request: Request, kubelet: Backend, target: str) -> Response:
        """A client that sends the bytes of ports in channels speaks to the node's runtime, which knows them."""
        own = {name: value for name, value in request.headers.items() if name.startswith("sec-websocket-")}
        headers = {**own, SUB_PROTOCOLS: ", ".join(offered(request)), "connection": "Upgrade", "upgrade": "websocket"}
        call = Call("GET", target, {name: value for name, value in headers.items() if value})
        answer = await self._upgraded(kubelet, call)
        if isinstance(answer, Response):
            return answer
        return Response(101, answer.headers, upgrade=Upgrade("websocket", relayed(answer.stream), is_raw=True))

    async def _passed_on(self, request: Request, kubelet: Backend, target: str) -> Response:
        """A client that speaks SPDY itself gets the node's own streams."""
        if not request.headers.get("upgrade", "").lower().startswith("spdy/"):
            raise bad_request("Upgrade request required")
        answer = await self._spdy(kubelet, target, _offered_versions(request))
        if isinstance(answer, Response):
            return answer
        version = answer.headers.get(VERSION_HEADER)
        return _raw({VERSION_HEADER: version} if version else {}, answer)

    async def _spdy(self, kubelet: Backend, target: str, versions: Iterable[str]) -> Upgraded | Response:
        headers = {"connection": "Upgrade", "upgrade": SPDY, VERSION_HEADER: ", ".join(versions)}
        return await self._upgraded(kubelet, Call("POST", target, headers))

    async def _upgraded(self, kubelet: Backend, call: Call) -> Upgraded | Response:
        try:
            return await self._connections.nodes.upgrade(kubelet, call)
        except Unreachable as error:
            raise dialing(error) from error


def _raw(headers: dict[str, str | tuple[str, ...]], answer: Upgraded) -> Response:
    upgrade = Upgrade(SPDY, relayed(answer.stream), is_raw=True)
    return Response(101, {"connection": "Upgrade", "upgrade": SPDY, **headers}, upgrade=upgrade)


def _offered_versions(request: Request) -> list[str]:
    return offered_protocols(request.headers.get(VERSION_HEADER, ""))


def streams_of(options: PodAttachOptions) -> CommandStreams:
    """Which streams a client wants. Pure."""
    tty = options.tty
    return CommandStreams(stdin=options.stdin, stdout=options.stdout, stderr=options.stderr and not tty, tty=tty)


def kubelet_flags(streams: CommandStreams) -> list[tuple[str, str]]:
    """The same in the kubelet's words. Pure."""
    flags = {"input": streams.stdin, "output": streams.stdout, "error": streams.stderr, "tty": streams.tty}
    return [(name, "1") for name, is_set in flags.items() if is_set]
