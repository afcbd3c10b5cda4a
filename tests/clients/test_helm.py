"""helm 4: the life of a release, from install to uninstall, with hooks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.clients.command import Command
from tests.clients.downloads import Tools

_CHART = str(Path(__file__).parent / "chart")
_WAITING = ("--wait", "--timeout=30s")


@pytest.fixture
def helm(tools: Tools, environment: Mapping[str, str], namespace: str) -> Command:
    return Command(tools.helm, (f"--namespace={namespace}",), environment)


@pytest.fixture
def kubectl(tools: Tools, environment: Mapping[str, str], namespace: str) -> Command:
    return Command(tools.kubectl, (f"--namespace={namespace}",), environment)


def descriptions(helm: Command) -> list[tuple[int, str, str]]:
    """Revision, status and description of every revision."""
    return [(each["revision"], each["status"], each["description"]) for each in helm.json("history", "shop")]


# Helm 4 applies on the server; releases of Helm 3 go on with patches made by the client.
@pytest.mark.parametrize("where", ["true", "false"])
def test_install_upgrade_rollback_uninstall(helm: Command, kubectl: Command, where: str) -> None:
    server_side = f"--server-side={where}"
    greeting = ("get", "configmap", "shop-settings", "--output=jsonpath={.data.greeting}")
    replicas = ("get", "deployment", "shop", "--output=jsonpath={.status.readyReplicas}")

    assert "The shop says hello." in helm("install", "shop", _CHART, server_side, *_WAITING)
    assert kubectl(*greeting) == "hello"
    assert kubectl(*replicas) == "1"
    assert kubectl("get", "job", "shop-migration-1", "--output=jsonpath={.status.succeeded}") == "1"
    (release,) = helm.json("list")
    assert (release["name"], release["revision"], release["status"]) == ("shop", "1", "deployed")
    assert (release["chart"], release["app_version"]) == ("shop-1.2.3", "7")

    values = ("--set=replicas=2", "--set=greeting=welcome", "--set=image=nginx:1.28")
    assert "The shop says welcome." in helm("upgrade", "shop", _CHART, server_side, *values, *_WAITING)
    assert kubectl(*greeting) == "welcome"
    assert kubectl(*replicas) == "2"
    assert helm.json("get", "values", "shop")["replicas"] == 2

    helm("rollback", "shop", "1", server_side, *_WAITING)
    assert kubectl(*greeting) == "hello"
    assert kubectl(*replicas) == "1"
    assert descriptions(helm) == [
        (1, "superseded", "Install complete"),
        (2, "superseded", "Upgrade complete"),
        (3, "deployed", "Rollback to 1"),
    ]

    assert 'release "shop" uninstalled' in helm("uninstall", "shop", *_WAITING)
    assert helm.json("list", "--deployed", "--failed") == []
    # What hooks made is not the release's, and stays.
    left = kubectl(
        "get", "deployments,services,secrets,pods", "--selector=app.kubernetes.io/name=shop", "--output=name"
    )
    assert left == ""
    assert kubectl("get", "configmap", "shop-farewell", "--output=jsonpath={.data.said}") == "goodbye"


def test_status_lists_what_the_release_made(helm: Command) -> None:
    helm("install", "shop", _CHART, *_WAITING)
    status = helm("status", "shop")
    assert "STATUS: deployed" in status
    for heading in ("v1/ConfigMap", "v1/Secret", "v1/Service", "v1/Deployment", "v1/Pod(related)"):
        assert f"==> {heading}" in status
    manifest = helm("get", "manifest", "shop")
    assert "name: shop-settings" in manifest
    assert "pre-install" in helm("get", "hooks", "shop")


def test_a_namespace_is_made_on_the_way(helm: Command, kubectl: Command, namespace: str) -> None:
    other = f"{namespace}-made"
    helm("install", "shop", _CHART, f"--namespace={other}", "--create-namespace")
    assert kubectl("get", "namespace", other, "--output=jsonpath={.status.phase}") == "Active"
    kubectl("delete", "namespace", other, "--wait=false")


def test_a_failing_hook_fails_the_install_and_another_try_succeeds(helm: Command) -> None:
    failing = "--set=migration=exit=1"
    assert "pre-install" in helm.fails("install", "shop", _CHART, failing, *_WAITING)
    assert helm.json("list", "--failed")[0]["status"] == "failed"
    helm("upgrade", "--install", "shop", _CHART, "--reset-values", *_WAITING)
    assert [status for _, status, _ in descriptions(helm)] == ["superseded", "deployed"]


def test_what_the_server_refuses_is_said_and_rolled_back(helm: Command, kubectl: Command) -> None:
    helm("install", "shop", _CHART, *_WAITING)
    refused = helm.fails("upgrade", "shop", _CHART, "--set=replicas=-1", "--rollback-on-failure", *_WAITING)
    assert "spec.replicas: Invalid value: -1: must be greater than or equal to 0" in refused
    assert kubectl("get", "deployment", "shop", "--output=jsonpath={.spec.replicas}") == "1"
    assert descriptions(helm)[-1][1:] == ("deployed", "Rollback to 1")


def test_a_dry_run_on_the_server_changes_nothing(helm: Command, kubectl: Command) -> None:
    assert "kind: Deployment" in helm("install", "shop", _CHART, "--dry-run=server")
    assert kubectl("get", "deployments", "--output=name") == ""
    assert helm.json("list") == []
