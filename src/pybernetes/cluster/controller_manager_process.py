"""`pyb controller-manager`: kube-controller-manager as a process, with upstream's flag names."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from pybernetes.client import Client
from pybernetes.cluster.connection import add_kubeconfig, connected
from pybernetes.cluster.health_port import CONTROLLER_MANAGER_PORT, serving_health
from pybernetes.controllers.context import ControllerOptions
from pybernetes.controllers.host_path_removal import remove_host_path
from pybernetes.controllers.main import CONTROLLERS, make_context, run_controllers
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import SystemClock
from pybernetes.environment.process import notify_ready
from pybernetes.environment.refusal import Refused, refusing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `pyb controller-manager`."""
    add_kubeconfig(parser)
    parser.add_argument("--controllers", default="*", help="comma-separated names; * is all, -name leaves one out")
    parser.add_argument("--cluster-cidr", default="")
    parser.add_argument("--node-cidr-mask-size", type=int, default=24)
    parser.add_argument("--service-cluster-ip-range", default="10.96.0.0/16")
    parser.add_argument("--root-ca-file", type=Path)
    parser.add_argument("--service-account-private-key-file", type=Path)
    parser.add_argument("--cluster-signing-cert-file", type=Path)
    parser.add_argument("--cluster-signing-key-file", type=Path)
    parser.add_argument("--node-monitor-grace-period", type=float, default=50.0, help="seconds")


def options(arguments: argparse.Namespace) -> ControllerOptions:
    """The controllers' options from the flags."""
    with refusing("--root-ca-file"):
        root_ca = arguments.root_ca_file.read_text() if arguments.root_ca_file else ""
    with refusing("--service-account-private-key-file"):
        file = arguments.service_account_private_key_file
        service_account_key = file.read_text() if file else ""
    signing = arguments.cluster_signing_cert_file, arguments.cluster_signing_key_file
    if None in signing and signing != (None, None):
        raise Refused("--cluster-signing-cert-file and --cluster-signing-key-file need each other")
    with refusing("--cluster-signing-cert-file, --cluster-signing-key-file"):
        certificate, key = (each.read_text() if each else "" for each in signing)
    return ControllerOptions(
        cluster_cidr=arguments.cluster_cidr,
        node_cidr_mask_size=arguments.node_cidr_mask_size,
        service_cluster_ip_range=arguments.service_cluster_ip_range,
        node_monitor_grace_period=arguments.node_monitor_grace_period,
        root_ca=root_ca,
        service_account_key=service_account_key,
        cluster_signing_certificate=certificate,
        cluster_signing_key=key,
        remove_host_path=remove_host_path,
    )


def chosen(words: str) -> list[str]:
    """The controllers that `--controllers` names. Pure; Refused for an unknown name."""
    listed = [word.strip() for word in words.split(",") if word.strip()]
    left_out = {word[1:] for word in listed if word.startswith("-")}
    named = {word for word in listed if word != "*" and not word.startswith("-")}
    for name in sorted((named | left_out) - set(CONTROLLERS)):
        raise Refused(f'--controllers: "{name}" is not in the list of known controllers: {", ".join(CONTROLLERS)}')
    return [name for name in CONTROLLERS if ("*" in listed or name in named) and name not in left_out]


async def run(arguments: argparse.Namespace) -> None:
    """Controls until cancelled."""
    settings, names = options(arguments), chosen(arguments.controllers)
    async with (
        connected(arguments.kubeconfig, "kube-controller-manager") as client,
        serving_health("kube-controller-manager", CONTROLLER_MANAGER_PORT, SystemClock()),
    ):
        notify_ready()
        await run_controller_manager(client, settings, names)


async def run_controller_manager(client: Client, settings: ControllerOptions, names: Sequence[str]) -> None:
    """The controllers with informers of their own, until cancelled."""
    await run_controllers(make_context(client, SystemClock(), Chance(), settings), names)
