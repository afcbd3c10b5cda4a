"""What a pod's /etc/resolv.conf and /etc/hosts say; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pybernetes.api.types.core_v1 import HostAlias, Pod
from pybernetes.kubelet.options import KubeletOptions

MOST_SERVERS, MOST_SEARCHES = 3, 32


@dataclass(frozen=True, slots=True)
class Dns:
    """The three parts of a resolv.conf."""

    servers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def parse_resolv_conf(text: str) -> Dns:
    """The node's own configuration."""
    servers: list[str] = []
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2 or words[0].startswith(("#", ";")):
            continue
        if words[0] == "nameserver":
            servers.append(words[1])
        elif words[0] == "search":
            searches = tuple(words[1:])
        elif words[0] == "options":
            options = tuple(words[1:])
    return Dns(tuple(servers), searches, options)


def pod_dns(pod: Pod, options: KubeletOptions, host: Dns) -> Dns:
    """By dnsPolicy; dnsConfig is added to it."""
    policy = pod.spec.dns_policy or "ClusterFirst"
    cluster = policy == "ClusterFirstWithHostNet" or (policy == "ClusterFirst" and not pod.spec.host_network)
    if policy == "None":
        base = Dns()
    elif cluster and options.cluster_dns:
        domain = options.cluster_domain
        own = (f"{pod.metadata.namespace}.svc.{domain}", f"svc.{domain}", domain) if domain else ()
        base = Dns(options.cluster_dns, _unique((*own, *host.searches)), ("ndots:5",))
    else:
        base = host
    extra = pod.spec.dns_config
    if extra is None:
        return _limited(base)
    own_options = {each.name or "": each.value for each in extra.options}
    kept = tuple(each for each in base.options if each.partition(":")[0] not in own_options)
    added = tuple(f"{name}:{value}" if value else name for name, value in own_options.items())
    return _limited(
        Dns(
            _unique((*base.servers, *extra.nameservers)),
            _unique((*base.searches, *extra.searches)),
            (*kept, *added),
        )
    )


def _unique(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))


def _limited(dns: Dns) -> Dns:
    return Dns(dns.servers[:MOST_SERVERS], dns.searches[:MOST_SEARCHES], dns.options)


def hostname_of(pod: Pod) -> str:
    """The pod's own name, cut to what a host name may be."""
    return (pod.spec.hostname_override or pod.spec.hostname or pod.metadata.name or "")[:63].rstrip("-.")


def domain_of(pod: Pod, options: KubeletOptions) -> str:
    """The domain under which a pod with a subdomain is known; empty for others."""
    if not pod.spec.subdomain:
        return ""
    return f"{pod.spec.subdomain}.{pod.metadata.namespace}.svc.{options.cluster_domain}"


def hosts_file(pod: Pod, pod_ips: Iterable[str], options: KubeletOptions) -> str:
    """The managed /etc/hosts of a pod with a network of its own."""
    lines = [
        "# Kubernetes-managed hosts file.",
        "127.0.0.1\tlocalhost",
        "::1\tlocalhost ip6-localhost ip6-loopback",
        "fe00::0\tip6-localnet",
        "fe00::0\tip6-mcastprefix",
        "fe00::1\tip6-allnodes",
        "fe00::2\tip6-allrouters",
    ]
    name, domain = hostname_of(pod), domain_of(pod, options)
    lines += [f"{ip}\t{name}.{domain}\t{name}" if domain else f"{ip}\t{name}" for ip in pod_ips]
    return "\n".join([*lines, *_aliases(pod.spec.host_aliases)]) + "\n"


def host_network_hosts_file(pod: Pod, node_hosts: str) -> str:
    """The node's /etc/hosts with the pod's aliases, for pods on the node's network."""
    text = "# Kubernetes-managed hosts file (host network).\n" + node_hosts
    aliases = "\n".join(_aliases(pod.spec.host_aliases))
    return f"{text}{aliases}\n" if aliases else text


def _aliases(aliases: Iterable[HostAlias]) -> list[str]:
    lines = [f"{alias.ip}\t" + "\t".join(alias.hostnames) for alias in aliases]
    return ["", "# Entries added by HostAliases.", *lines] if lines else []
