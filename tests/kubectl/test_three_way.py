"""The patches that apply sends."""

from __future__ import annotations

from typing import Any

from pybernetes.api import merge_patch, schema, strategic_merge
from pybernetes.api.types.apps_v1 import Deployment
from pybernetes.api.types.core_v1 import ConfigMap
from pybernetes.kubectl.three_way import three_way

DEPLOYMENT = schema.definition_of(Deployment)


def deployment(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "web"}, "spec": {**spec, "template": {"spec": {"containers": list(containers)}}}}


def live(wanted: dict[str, Any]) -> dict[str, Any]:
    """The object after defaulting: with more in it than the manifest says."""
    containers = [{"imagePullPolicy": "Always", **item} for item in wanted["spec"]["template"]["spec"]["containers"]]
    return {**deployment(*containers, **wanted["spec"] | {"progressDeadlineSeconds": 600}), "status": {"replicas": 1}}


def test_what_is_as_it_should_be_is_left_alone() -> None:
    wanted = deployment({"name": "a", "image": "x"}, replicas=1)
    assert three_way(wanted, wanted, live(wanted), DEPLOYMENT) == {}


def test_a_changed_field_of_a_container_names_the_container_and_the_order() -> None:
    before = deployment({"name": "a", "image": "x"}, {"name": "b", "image": "y"})
    after = deployment({"name": "a", "image": "x"}, {"name": "b", "image": "z"})
    assert three_way(before, after, live(before), DEPLOYMENT) == {
        "spec": {
            "template": {
                "spec": {
                    "$setElementOrder/containers": [{"name": "a"}, {"name": "b"}],
                    "containers": [{"image": "z", "name": "b"}],
                }
            }
        }
    }


def test_what_the_last_manifest_had_goes_and_what_others_added_stays() -> None:
    before = deployment({"name": "a", "image": "x"}, {"name": "old", "image": "y"}, replicas=3)
    after = deployment({"name": "a", "image": "x"})
    current = live(before)
    current["spec"]["template"]["spec"]["containers"].append({"name": "injected", "image": "s"})
    patch = three_way(before, after, current, DEPLOYMENT)
    merged = strategic_merge.apply(current, patch, DEPLOYMENT)
    assert "replicas" not in merged["spec"] and merged["spec"]["progressDeadlineSeconds"] == 600
    assert [item["name"] for item in merged["spec"]["template"]["spec"]["containers"]] == ["a", "injected"]


def test_a_new_strategy_leaves_nothing_of_the_old_one() -> None:
    before = deployment(strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}})
    after = deployment(strategy={"type": "Recreate"})
    patch = three_way(before, after, before, DEPLOYMENT)
    assert patch["spec"]["strategy"]["$retainKeys"] == ["type"]
    assert strategic_merge.apply(before, patch, DEPLOYMENT)["spec"]["strategy"] == {"type": "Recreate"}


def test_finalizers_are_a_set() -> None:
    definition = schema.definition_of(ConfigMap)
    before: dict[str, Any] = {"metadata": {"finalizers": ["a/old", "b/kept"]}}
    after: dict[str, Any] = {"metadata": {"finalizers": ["b/kept", "c/new"]}}
    current: dict[str, Any] = {"metadata": {"finalizers": ["a/old", "b/kept", "d/other"]}}
    merged = strategic_merge.apply(current, three_way(before, after, current, definition), definition)
    assert sorted(merged["metadata"]["finalizers"]) == ["b/kept", "c/new", "d/other"]


def test_without_a_definition_it_is_a_merge_patch() -> None:
    before = {"spec": {"size": 1, "list": [{"name": "a"}], "gone": True}}
    after = {"spec": {"size": 2, "list": [{"name": "b"}]}}
    patch = three_way(before, after, before)
    assert patch == {"spec": {"size": 2, "list": [{"name": "b"}], "gone": None}}
    assert merge_patch.apply(before, patch) == after
