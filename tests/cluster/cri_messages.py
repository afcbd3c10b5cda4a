"""Just enough of the container runtime interface, written by hand, to start a pod with nothing but a socket."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import grpc

Value = bytes | str | int | dict[int, "Value"] | list["Value"]


def encode(fields: dict[int, Value]) -> bytes:
    """A protobuf message: text, bytes and messages by length, integers as varints, lists repeated."""
    out = b""
    for number, value in fields.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, int):
                out += _varint(number << 3) + _varint(each)
            else:
                data = encode(each) if isinstance(each, dict) else each.encode() if isinstance(each, str) else each
                out += _varint(number << 3 | 2) + _varint(len(data)) + data
    return out


def decode(data: bytes) -> dict[int, list[int | bytes]]:
    """The top level of a message: each field's values in order."""
    fields: dict[int, list[int | bytes]] = {}
    position = 0
    while position < len(data):
        key, position = _read_varint(data, position)
        value: int | bytes
        value, position = _read_varint(data, position)
        if key & 7 == 2:
            value, position = data[position : position + value], position + value
        fields.setdefault(key >> 3, []).append(value)
    return fields


def _varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[position]
        position += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, position
        shift += 7


class Engine:
    """A node's container engine."""

    def __init__(self, socket: Path) -> None:
        self._channel = grpc.insecure_channel(f"unix://{socket}")

    def call(
        self, method: str, message: dict[int, Value], service: str = "RuntimeService"
    ) -> dict[int, list[int | bytes]]:
        rpc = self._channel.unary_unary(f"/runtime.v1.{service}/{method}")
        return decode(rpc(encode(message), timeout=20, wait_for_ready=True))

    def wait_network(self) -> None:
        """Asks until the runtime and its network are ready, as a kubelet does."""
        while True:
            with suppress(grpc.RpcError):
                conditions = [decode(_bytes(each)) for each in decode(_bytes(self.call("Status", {})[1][0]))[1]]
                if all(2 in condition for condition in conditions):
                    return

    def run_pod(self, name: str, image: str, cgroup: str, command: list[str]) -> tuple[str, str, str]:
        """Runs a pod of one container: its sandbox's id, its container's id, its address."""
        sandbox: dict[int, Value] = {
            1: {1: name, 2: f"uid-{name}", 3: "default"}, 2: name, 3: "", 8: {1: f"{cgroup}/{name}"}
        }  # fmt: skip
        pod = _text(self.call("RunPodSandbox", {1: sandbox})[1][0])
        container: dict[int, Value] = {1: {1: name}, 2: {1: image}, 3: command, 15: {1: {}}}
        made = _text(self.call("CreateContainer", {1: pod, 2: container, 3: sandbox})[1][0])
        self.call("StartContainer", {1: made})
        status = decode(_bytes(self.call("PodSandboxStatus", {1: pod})[1][0]))
        return pod, made, _text(decode(_bytes(status[5][0]))[1][0])

    def execute(self, container: str, command: list[str]) -> tuple[int, str]:
        """Runs a command in a container: its exit code and what it wrote."""
        answer = self.call("ExecSync", {1: container, 2: command, 3: 10})
        code = answer.get(3, [0])[0]
        assert isinstance(code, int)
        return code, "".join(_text(part) for number in (1, 2) for part in answer.get(number, []))

    def close(self) -> None:
        self._channel.close()


def _bytes(value: int | bytes) -> bytes:
    assert isinstance(value, bytes)
    return value


def _text(value: int | bytes) -> str:
    return _bytes(value).decode()
