"""What ControllerRevisions hold of a template."""

from __future__ import annotations

import json

from pybernetes.api.types.core_v1 import Container, ContainerPort, PodSpec, PodTemplateSpec
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.controllers.history import data_of


def test_a_revision_has_its_keys_in_order() -> None:
    container = Container(name="c", image="i", ports=[ContainerPort(protocol="TCP", container_port=80)])
    template = PodTemplateSpec(
        metadata=ObjectMeta(labels={"b": "1", "a": "2"}),
        spec=PodSpec(containers=[container], restart_policy="Always", dns_policy="ClusterFirst"),
    )
    data = data_of(template)
    assert json.dumps(data) == json.dumps(data, sort_keys=True)
    assert data["spec"]["template"]["$patch"] == "replace"
    assert data["spec"]["template"]["spec"]["containers"][0]["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
