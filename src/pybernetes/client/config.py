"""Where an API server is and who we are there: what `HttpTransport` needs, and what a kubeconfig says."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ClientConfig:
    """Certificates and keys are PEM; empty means not given. Secrets do not show in its text."""

    server: str  # "https://127.0.0.1:6443", maybe with a path
    namespace: str = "default"
    certificate_authority: bytes = b""  # empty: the machine's trusted authorities
    client_certificate: bytes = field(default=b"", repr=False)
    client_key: bytes = field(default=b"", repr=False)
    token: str = field(default="", repr=False)
    token_file: str = ""  # read again whenever it changes; goes before `token`
    username: str = ""
    password: str = field(default="", repr=False)
    tls_server_name: str = ""
    insecure_skip_tls_verify: bool = False
    request_timeout: float = 60.0  # seconds for a whole answer, or for the head of a stream
