"""Messages out of JSON text are those that `protobuf_writer` makes of the parsed text."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pybernetes.api.protobuf_text import text_encoder_of
from pybernetes.api.protobuf_writer import encode_message
from tests.api import oracle
from tests.api.test_protobuf import DEFINITIONS

POD = "io.k8s.api.core.v1.Pod"
names = st.text(max_size=300)
labels = st.dictionaries(names, names, max_size=4)
containers = st.lists(
    st.fixed_dictionaries(
        {"name": names},
        optional={
            "resources": st.fixed_dictionaries({"limits": st.dictionaries(names, st.just("1500m"), max_size=3)}),
            "livenessProbe": st.fixed_dictionaries(
                {"timeoutSeconds": st.integers(-(2**31), 2**31 - 1), "httpGet": st.just({"port": "http", "path": "/"})}
            ),
            "command": st.lists(names, max_size=3),
            "stdin": st.booleans(),
            "ports": st.none(),
        },
    ),
    max_size=3,
)


@given(labels, containers, st.lists(st.fixed_dictionaries({"name": names, "emptyDir": st.just({})}), max_size=3))
def test_any_pod(given_labels: dict[str, str], given_containers: list[Any], volumes: list[Any]) -> None:
    metadata = {"labels": given_labels, "creationTimestamp": None, "name": "p"}
    pod = {"kind": "Pod", "metadata": metadata, "spec": {"containers": given_containers, "volumes": volumes}}
    # Once as it is new, once as it is known.
    for _ in range(2):
        assert text_encoder_of(POD)(msgspec.json.encode(pod)) == encode_message(pod, POD)


@oracle.needs_oracle
@pytest.mark.parametrize("scenario", oracle.names("defaults"))
def test_recorded_answers(scenario: str) -> None:
    for step in oracle.steps(scenario):
        answer = step["response"].get("body")
        definition = DEFINITIONS.get((answer.get("apiVersion"), answer.get("kind"))) if type(answer) is dict else None
        if definition is None:
            continue
        text = msgspec.json.encode(answer).replace(b"<time>", b"2020-01-01T00:00:00Z")
        try:
            written = encode_message(msgspec.json.decode(text), definition)
        except (TypeError, ValueError):
            continue  # a placeholder stands where a number should
        assert text_encoder_of(definition)(text) == written
