"""Answers recorded from a real v1.36.2 API server: the scenarios, and one step of them sent to a server of ours.

A `Step` goes in; where our answer differs comes out. Used by `scenario.py`.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from pybernetes.api.wire import Peer, Request, Response
from pybernetes.apiserver.apiserver import ApiServer
from tests.oracle.matching import Bindings, differences

ORACLE = Path(__file__).parents[3] / "shared" / "oracle"
FOLDERS = ("discovery", "openapi", "defaults", "errors", "patch", "list-watch", "delete", "admission")
_HEADERS = ("Content-Type", "Warning", "Retry-After", "Location", "Allow", "WWW-Authenticate", "Cache-Control")
_WATCH_SECONDS_MAX = 60.0
_CERTIFICATE = re.compile(r"<client certificate of (.*)>")
_TOKEN = re.compile(r"<token of (.*)>")
_OF_BYTES = re.compile(r"<(\d+) bytes: .*>", re.DOTALL)
# The names of the large objects, whose bodies the recording shortens, and what surrounds their one value.
_LARGE_NAMES = {"1048667": "big2", "2097242": "big3", "4194394": "big4", "1048670": "big2"}
_LARGE_REST = 90


def scenarios(*folders: str) -> list[Path]:
    """The recorded files of some folders; none where the recordings are not at hand."""
    return sorted(path for folder in folders for path in (ORACLE / folder).glob("*.json"))


@dataclass(frozen=True)
class Step:
    """One recorded request and its answer."""

    number: int
    note: str
    request: dict[str, Any]
    response: dict[str, Any]

    @property
    def title(self) -> str:
        asked = f"{self.request['method']} {self.request['path']} {self.request.get('query') or ''}"
        return f"{self.number}: {asked.strip()} {self.note}".rstrip()


def steps(path: Path) -> list[Step]:
    """The steps of a scenario, in order."""
    recorded = json.loads(path.read_text())["steps"]
    return [
        Step(number, str(step.get("note", "")), step["request"], step["response"])
        for number, step in enumerate(recorded)
    ]


async def replay(api: ApiServer, step: Step, bindings: Bindings) -> list[str]:
    """Sends a step's request; where the answer differs from the recorded one."""
    response = await api.handle(request_of(step, bindings))
    events = None if response.stream is None else await _events(response.stream)
    wanted = step.response
    if response.status != wanted["status"]:
        return [f"status {wanted['status']} recorded, {response.status} found: {response.body[:400]!r}"]
    found = events if events is not None else _body(response.body)
    # The bodies of some answers were not recorded, and that of a HEAD request never arrives.
    has_body = "body" in wanted and step.request["method"] != "HEAD" and "(body omitted)" not in step.note
    result = _body_differences(wanted["body"], found, bindings) if has_body else []
    return result + _header_differences(wanted.get("headers"), response, bindings)


def _body_differences(wanted: Any, found: Any, bindings: Bindings) -> list[str]:
    if isinstance(wanted, str) and isinstance(found, str) and "kind: " in wanted:
        return differences(yaml.safe_load(wanted), yaml.safe_load(found), bindings)
    if isinstance(wanted, list) and isinstance(found, list):
        wanted, found = _once_each(wanted), _once_each(found)
    if isinstance(wanted, dict) and "names" in wanted and isinstance(found, dict) and "items" in found:
        found = {"kind": found["kind"], "names": [item["metadata"]["name"] for item in found["items"]]}
    return differences(wanted, found, bindings)


def _once_each(events: list[Any]) -> list[Any]:
    """Upstream repeats its last bookmark as often as a timer rings before a watch ends."""
    pairs = zip([None, *events], events, strict=False)
    return [event for before, event in pairs if event["type"] != "BOOKMARK" or event != before]


def _header_differences(wanted: dict[str, Any] | None, response: Response, bindings: Bindings) -> list[str]:
    if wanted is None:
        return []  # not recorded
    found = {name.lower(): value for name, value in response.headers.items()}
    result = []
    for name in _HEADERS:
        result += differences(_listed(wanted.get(name)), _listed(found.get(name.lower())), bindings, name)
    return result


def _listed(value: Any) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)


async def _events(stream: AsyncIterator[bytes]) -> list[Any]:
    """The events of a watch, until it ends by itself or has lasted too long."""
    data = b""
    try:
        async with asyncio.timeout(_WATCH_SECONDS_MAX):
            async for chunk in stream:
                data += chunk
    except TimeoutError:
        pass
    finally:
        if (close := getattr(stream, "aclose", None)) is not None:
            await close()
    return [msgspec.json.decode(line) for line in data.splitlines()]


def _body(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body) if body else None
    except msgspec.DecodeError:
        return body.decode(errors="replace")


def request_of(step: Step, bindings: Bindings) -> Request:
    """The request as it was sent, with our server's values in it."""
    sent = step.request
    headers = {"accept": "application/json", "user-agent": "oracle/1.0", "authorization": "Bearer admin-token"}
    headers |= {name.lower(): bindings.fill(value) for name, value in (sent.get("headers") or {}).items()}
    given = (sent.get("headers") or {}).get("Authorization", headers["authorization"])
    headers["authorization"], peer = _credentials(given, bindings)
    if not headers["authorization"]:
        del headers["authorization"]
    query = tuple(
        (name, bindings.fill(item))
        for name, value in (sent.get("query") or {}).items()
        for item in (value if isinstance(value, list) else [value])
    )
    return Request(sent["method"], bindings.fill(sent["path"]), query, headers, _content(sent, bindings), peer)


def _content(sent: dict[str, Any], bindings: Bindings) -> bytes:
    body = sent.get("body")
    if body is None:
        return b""
    if isinstance(body, str) and body.startswith("<ConfigMap data.a of 1048576 bytes>"):
        return _large("ConfigMap", 1048576 + _LARGE_REST, "big1")
    if isinstance(body, str):
        sized = _OF_BYTES.fullmatch(body)
        return (
            _large(body, int(sized.group(1)), _LARGE_NAMES.get(sized.group(1), "big"))
            if sized
            else bindings.fill(body).encode()
        )
    return bindings.fill(json.dumps(body)).encode()


def _large(body: str, size: int, name: str) -> bytes:
    """An object of this many bytes, most of them in one value."""
    kind, field = ("Secret", "stringData") if "Secret" in body else ("ConfigMap", "data")
    head = f'{{"apiVersion": "v1", "kind": "{kind}", "metadata": {{"name": "{name}"}}, "{field}": {{"a": "'
    return (head + "x" * (size - len(head) - 3) + '"}}').encode()


# Of the client certificate that the recording was made with.
_FINGERPRINT = "65cb945b3fcde3b86e9bca7182ae30cb4cdb37319b12289be96e23dcdd3369cf"


def _credentials(value: str, bindings: Bindings) -> tuple[str, Peer]:
    if match := _CERTIFICATE.fullmatch(value):
        return "", Peer("192.0.2.20", match.group(1), ("system:nodes",), fingerprint=_FINGERPRINT)
    if match := _TOKEN.fullmatch(value):
        return f"Bearer {match.group(1)}-token", Peer("192.0.2.20")
    if value == "<service account token>":
        return "Bearer " + bindings.values.get(value, "none"), Peer("192.0.2.20")
    return ("" if value == "<none>" else value), Peer("192.0.2.20")


__all__ = ["FOLDERS", "ORACLE", "Bindings", "Step", "differences", "replay", "request_of", "scenarios", "steps"]
