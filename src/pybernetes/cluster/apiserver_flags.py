"""The flags of `pyb apiserver`, under upstream's names: words in, values out, and what cannot be meant refused.

`apiserver_process` asks for `options` and `shutdown_times` when it has made the files that the flags leave out.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from pybernetes.api import duration
from pybernetes.apiserver.options import SERVICE_ACCOUNT_ISSUER, ApiServerOptions
from pybernetes.apiserver.request import UserInfo
from pybernetes.apiserver.shutdown import ShutdownTimes
from pybernetes.apiserver.stages.authorization import MODES
from pybernetes.apiserver.stages.static_tokens import parse_token_file
from pybernetes.environment.refusal import Refused, refusing

log = logging.getLogger(__name__)
_TRUE, _FALSE = ("1", "t", "T", "TRUE", "true", "True"), ("0", "f", "F", "FALSE", "false", "False")


@dataclass(frozen=True)
class Files:
    """The keys and certificates that a server runs with."""

    certificate: Path
    key: Path
    client_ca: Path
    service_account_key: Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `pyb apiserver`."""
    parser.add_argument("--data-dir", type=Path, required=True, help="folder of the store and of generated keys")
    _add_serving(parser)
    _add_access(parser)
    _add_cluster(parser)
    _add_limits(parser)
    _add_shutdown(parser)


def _add_serving(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("serving").add_argument
    add("--secure-port", type=_port, default=6443, help="port of HTTPS; 0 is any free one")
    add("--bind-address", default="127.0.0.1", help="address to listen on")
    add("--advertise-address", default="", help="address that members of the cluster are told; else --bind-address")
    add("--tls-cert-file", type=Path, help="certificate of the server; made below --data-dir when not given")
    add("--tls-private-key-file", type=Path, help="its key")
    _add_switch(add, "--profiling", True, "serve /debug/pprof and /debug/flags")


def _add_access(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("access").add_argument
    add("--client-ca-file", type=Path, help="authority whose client certificates are believed")
    add("--token-auth-file", type=Path, help='lines of token,user,uid,"group1,group2"')
    _add_switch(add, "--anonymous-auth", True, "let requests without credentials in as system:anonymous")
    add("--authorization-mode", default="Node,RBAC", help=f"in this order, of {', '.join(MODES)}")
    add("--enable-admission-plugins", default="NodeRestriction", help="plug-ins besides those that are on by default")
    add("--disable-admission-plugins", default="", help="plug-ins to leave out")
    add("--service-account-signing-key-file", type=Path, help="key that tokens are signed with")
    add("--service-account-issuer", default=SERVICE_ACCOUNT_ISSUER, help="who issues tokens")


def _add_cluster(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("cluster").add_argument
    add(
        "--service-cluster-ip-range",
        type=_networks,
        default=(IPv4Network("10.96.0.0/16"),),
        help="one range of ClusterIPs, or two of different families, divided by a comma",
    )
    add("--service-node-port-range", type=_ports, default=range(30000, 32768), help="such as 30000-32767")
    add("--kubelet-client-certificate", type=Path, help="shown to kubelets")
    add("--kubelet-client-key", type=Path, help="its key")
    add("--kubelet-certificate-authority", type=Path, help="authority of the kubelets' certificates")
    add("--event-ttl", type=_duration, default=3600.0, metavar="DURATION", help="how long Events are kept (1h0m0s)")


def _add_limits(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("limits").add_argument
    add(
        *("--request-timeout",), type=_duration, default=60.0, metavar="DURATION",
        help="how long a request may take that is neither a watch nor a stream (1m0s)",
    )  # fmt: skip
    add(
        *("--min-request-timeout",), type=_number, default=1800, metavar="SECONDS",
        help="the shortest length of a watch that asks for none; the longest is twice that",
    )  # fmt: skip
    add(
        *("--max-requests-inflight",), type=_number, default=400, metavar="N",
        help="reads at the same time, 0 for any number; they are answered one by one, so that it is never reached",
    )  # fmt: skip
    add(
        *("--max-mutating-requests-inflight",), type=_number, default=200, metavar="N",
        help="writes at the same time, 0 for any number; more are answered with 429",
    )  # fmt: skip


def _add_shutdown(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("shutdown").add_argument
    add(
        *("--shutdown-delay-duration",), type=_duration, default=0.0, metavar="DURATION",
        help="how long to serve as ever after a signal, while /readyz fails",
    )  # fmt: skip
    _add_switch(
        add, "--shutdown-send-retry-after", False,
        "listen until no request is under way, and answer new ones with 429 and Retry-After",
    )  # fmt: skip
    add(
        *("--shutdown-watch-termination-grace-period",), type=_duration, default=0.0, metavar="DURATION",
        help="how long the ends of watches are spread over, and waited for",
    )  # fmt: skip


def _add_switch(add: Callable[..., object], name: str, default: bool, words: str) -> None:
    """A flag that is true when it stands alone, as `--profiling` or `--profiling=false`."""
    add(name, type=_switch, nargs="?", const=True, default=default, metavar="BOOL", help=words)


def _switch(text: str) -> bool:
    if text not in (*_TRUE, *_FALSE):
        raise argparse.ArgumentTypeError(f'"{text}": strconv.ParseBool: parsing "{text}": invalid syntax')
    return text in _TRUE


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'"{text}": strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _duration(text: str) -> float:
    try:
        return duration.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f'"{text}": {error}') from None


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        networks = tuple(ip_network(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if len(networks) > 2 or len({network.version for network in networks}) < len(networks):
        raise argparse.ArgumentTypeError(f'"{text}" is neither one range nor two of different families')
    return networks


def _ports(text: str) -> range:
    first, dash, last = text.partition("-")
    if not dash or _port(first) > _port(last):
        raise argparse.ArgumentTypeError(f'"{text}" is no range of ports, such as 30000-32767')
    return range(int(first), int(last) + 1)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise argparse.ArgumentTypeError(f'"{text}" is no port: it must be between 0 and 65535')
    return int(text)


def require_sense(arguments: argparse.Namespace) -> None:
    """Refuses values that cannot be meant, one or several of them, in upstream's words where it has some."""
    problems = [
        f"--{name.replace('_', '-')} can not be negative value"
        for name in (
            *("max_requests_inflight", "max_mutating_requests_inflight", "request_timeout", "min_request_timeout"),
            *("shutdown_delay_duration", "shutdown_watch_termination_grace_period"),
        )
        if getattr(arguments, name) < 0
    ]
    if arguments.event_ttl <= 0:
        problems.append("--event-ttl must be more than 0")
    if (arguments.tls_cert_file is None) != (arguments.tls_private_key_file is None):
        problems.append("--tls-cert-file and --tls-private-key-file must be given together")
    if (arguments.kubelet_client_certificate is None) != (arguments.kubelet_client_key is None):
        problems.append("--kubelet-client-certificate and --kubelet-client-key must be given together")
    modes = arguments.authorization_mode.split(",")
    problems += [f'authorization-mode "{mode}" is not a valid mode' for mode in modes if mode not in MODES]
    if len(set(modes)) < len(modes):
        quoted = " ".join(f'"{mode}"' for mode in modes)
        problems.append(f"authorization-mode [{quoted}] has mode specified more than once")
    if problems:
        raise Refused(problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]")


def options(arguments: argparse.Namespace, used: Files) -> ApiServerOptions:
    """The server's options from its flags and files."""
    tokens: dict[str, UserInfo] = {}
    if arguments.token_auth_file is not None:
        with refusing("--token-auth-file"):
            tokens = parse_token_file(arguments.token_auth_file.read_text())
    with refusing("--service-account-signing-key-file"):
        service_account_key = used.service_account_key.read_bytes()
        serialization.load_pem_private_key(service_account_key, None)
    with refusing("--client-ca-file"):
        client_ca = used.client_ca.read_text()
    modes = tuple(arguments.authorization_mode.split(","))
    anonymous = arguments.anonymous_auth and "AlwaysAllow" not in modes
    if arguments.anonymous_auth and not anonymous:
        log.warning("with the authorization mode AlwaysAllow nobody is let in as system:anonymous")
    return ApiServerOptions(
        service_account_key=service_account_key,
        service_cluster_ip_range=arguments.service_cluster_ip_range[0],
        secondary_service_cluster_ip_range=next(iter(arguments.service_cluster_ip_range[1:]), None),
        service_node_port_range=arguments.service_node_port_range,
        service_account_issuer=arguments.service_account_issuer,
        authorization_modes=modes,
        anonymous=anonymous,
        advertise_address=arguments.advertise_address or arguments.bind_address,
        secure_port=arguments.secure_port,
        client_ca=client_ca,
        tokens=tokens,
        enable_admission=_names(arguments.enable_admission_plugins),
        disable_admission=_names(arguments.disable_admission_plugins),
        request_timeout=arguments.request_timeout or ApiServerOptions.request_timeout,
        min_request_timeout=arguments.min_request_timeout or ApiServerOptions.min_request_timeout,
        event_ttl=arguments.event_ttl,
        max_mutating_requests_inflight=arguments.max_mutating_requests_inflight,
        shutdown_send_retry_after=arguments.shutdown_send_retry_after,
        profiling=arguments.profiling,
        flags=_shown(arguments),
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(",")))


def shutdown_times(arguments: argparse.Namespace) -> ShutdownTimes:
    """How the server goes down."""
    return ShutdownTimes(
        delay=arguments.shutdown_delay_duration,
        watch_grace=arguments.shutdown_watch_termination_grace_period,
        requests=arguments.request_timeout or ApiServerOptions.request_timeout,
    )


def _shown(arguments: argparse.Namespace) -> dict[str, str]:
    """The flags as /flagz shows them; none of them is a secret."""
    return {name.replace("_", "-"): _text(value) for name, value in vars(arguments).items() if name != "command"}


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case range():
            return f"{value[0]}-{value[-1]}"
        case tuple():
            return ",".join(map(str, value))
        case float():
            return f"{value:g}s"
    return str(value)
