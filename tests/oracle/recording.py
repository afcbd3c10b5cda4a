"""Answers recorded from a real v1.36.2 API server, replayed: requests are sent again and the answers compared.

Placeholders such as `<uid:1>` stand for values that differ from server to server. The first time one is met it is
bound to what our server said; from then on it must be that, and requests that name it are sent with it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from pybernetes.api.wire import Request
from pybernetes.apiserver.apiserver import ApiServer

ORACLE = Path(__file__).parents[3] / "shared" / "oracle"
_PLACEHOLDER = re.compile(r"<[a-zA-Z -]+(?::\d+)?>|\.?<suffix:\d+>")
_HEADERS = ("Content-Type", "Warning", "Retry-After", "Location")
# Written by the stage of field management, which is a later issue's; taken out of both sides.
_LATER = "managedFields"


def scenarios(*folders: str) -> list[Path]:
    """The recorded files of some folders; none where the recordings are not at hand."""
    return sorted(path for folder in folders for path in (ORACLE / folder).glob("*.json"))


@dataclass
class Bindings:
    """What the placeholders of one scenario stand for."""

    values: dict[str, str] = field(default_factory=dict)

    def fill(self, text: str) -> str:
        """A text to send, with what is known put in."""
        return _PLACEHOLDER.sub(lambda match: self.values.get(match.group(0), match.group(0)), text)

    def matches(self, wanted: str, found: str) -> bool:
        """Whether a text is the recorded one; binds the placeholders that are new."""
        names = _PLACEHOLDER.findall(wanted)
        if not names:
            return wanted == found
        pattern = "".join(f"(?P<g{n}>.+?)" if n % 2 else re.escape(part) for n, part in enumerate(_split(wanted)))
        match = re.fullmatch(pattern, found, re.DOTALL)
        if match is None:
            return False
        pairs = [(name, match.group(f"g{2 * n + 1}")) for n, name in enumerate(names)]
        return all(not _is_numbered(name) or self.values.setdefault(name, value) == value for name, value in pairs)


def _split(text: str) -> list[str]:
    parts, position = [], 0
    for match in _PLACEHOLDER.finditer(text):
        parts += [text[position : match.start()], match.group(0)]
        position = match.end()
    return [*parts, text[position:]]


def _is_numbered(name: str) -> bool:
    return ":" in name


def differences(wanted: Any, found: Any, bindings: Bindings, path: str = "") -> list[str]:
    """Where an answer is not the recorded one."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        keys = dict.fromkeys([*wanted, *found])
        return [
            text
            for key in keys
            if key != _LATER
            for text in (
                differences(wanted[key], found[key], bindings, f"{path}.{key}")
                if key in wanted and key in found
                else [
                    f"{path}.{key}: {'missing' if key in wanted else 'extra'} {str(wanted.get(key, found.get(key)))[:200]}"
                ]
            )
        ]
    if isinstance(wanted, list) and isinstance(found, list):
        if len(wanted) != len(found):
            return [f"{path}: {len(wanted)} items recorded, {len(found)} found: {str(found)[:200]}"]
        pairs = enumerate(zip(wanted, found, strict=True))
        return [text for n, (a, b) in pairs for text in differences(a, b, bindings, f"{path}[{n}]")]
    if isinstance(wanted, str) and not isinstance(found, dict | list):
        same = bindings.matches(wanted, found if isinstance(found, str) else json.dumps(found))
        return [] if same else [f"{path}: recorded {wanted[:300]!r}, found {str(found)[:300]!r}"]
    return [] if wanted == found else [f"{path}: recorded {str(wanted)[:200]}, found {str(found)[:200]}"]


@dataclass(frozen=True)
class Step:
    """One recorded request and its answer."""

    number: int
    note: str
    request: dict[str, Any]
    response: dict[str, Any]

    @property
    def title(self) -> str:
        return f"{self.number}: {self.request['method']} {self.request['path']} {self.request.get('query') or ''}"


def steps(path: Path) -> list[Step]:
    """The steps of a scenario, in order."""
    recorded = json.loads(path.read_text())["steps"]
    return [
        Step(number, str(step.get("note", "")), step["request"], step["response"])
        for number, step in enumerate(recorded)
        if "method" in step["request"]
    ]


async def replay(api: ApiServer, step: Step, bindings: Bindings) -> list[str]:
    """Sends a step's request; where the answer differs from the recorded one."""
    response = await api.handle(_request(step, bindings))
    if response.stream is not None:
        close = getattr(response.stream, "aclose", None)
        if close is not None:
            await close()
        return ["a stream: not compared"]
    wanted = step.response
    if response.status != wanted["status"]:
        return [f"status {wanted['status']} recorded, {response.status} found: {response.body[:400].decode()}"]
    found = _body(response.body)
    result = differences(wanted.get("body"), found, bindings)
    headers = {name.lower(): value for name, value in response.headers.items()}
    for name in _HEADERS:
        expected = wanted["headers"].get(name)
        expected = [expected] if isinstance(expected, str) else expected or []
        got = headers.get(name.lower(), ())
        listed = [got] if isinstance(got, str) else list(got)
        result += differences(expected, listed, bindings, name)
    return result


def _body(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body) if body else None
    except msgspec.DecodeError:
        return body.decode()


def _request(step: Step, bindings: Bindings) -> Request:
    sent = step.request
    headers = {"accept": "application/json", "user-agent": "oracle/1.0", "authorization": "Bearer admin-token"}
    for name, value in sent["headers"].items():
        if name == "Authorization":
            value = _credentials(value)
        headers[name.lower()] = bindings.fill(value)
    body = sent.get("body")
    if body is None:
        content = b""
    elif isinstance(body, str):
        content = bindings.fill(body).encode()
    else:
        content = bindings.fill(json.dumps(body)).encode()
    query = sent.get("query") or {}
    pairs = tuple(
        (name, bindings.fill(item))
        for name, value in query.items()
        for item in (value if isinstance(value, list) else [value])
    )
    return Request(sent["method"], bindings.fill(sent["path"]), pairs, headers, content)


def _credentials(value: str) -> str:
    for user in ("alice", "admin"):
        if user in value:
            return f"Bearer {user}-token"
    return value


__all__ = ["ORACLE", "Bindings", "Step", "differences", "replay", "scenarios", "steps"]
