"""Who a client is, as HTTP and TLS want it: the Authorization header and the TLS context of a `ClientConfig`."""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
from pathlib import Path

from pybernetes.client.config import ClientConfig
from pybernetes.client.errors import ConfigError


class Authorization:
    """The value of the Authorization header; a token file is read again when it has been replaced or written."""

    def __init__(self, config: ClientConfig) -> None:
        self._file = config.token_file
        self._seen: tuple[int, int] | None = None
        self._value = ""
        if config.token:
            self._value = f"Bearer {config.token}"
        elif config.username:
            pair = f"{config.username}:{config.password}"
            self._value = f"Basic {base64.b64encode(pair.encode()).decode()}"

    def value(self) -> str:
        """Empty when there is nothing but a client certificate, or not even that."""
        if self._file:
            self._read_if_changed()
        return self._value

    def _read_if_changed(self) -> None:
        try:
            stat = os.stat(self._file)
            if (stat.st_mtime_ns, stat.st_ino) == self._seen:
                return
            token = Path(self._file).read_text().strip()
        except OSError as error:
            if self._value:
                return  # it is being replaced: the token that we have is good for a while
            raise ConfigError(f"the token file cannot be read: {error}") from error
        self._seen, self._value = (stat.st_mtime_ns, stat.st_ino), f"Bearer {token}"


def tls_context(config: ClientConfig) -> ssl.SSLContext:
    """Trusts the configured authority only (or the machine's), and shows the client certificate if there is one."""
    try:
        context = ssl.create_default_context(cadata=config.certificate_authority.decode() or None)
        if config.insecure_skip_tls_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if config.client_certificate:
            _load_pair(context, config)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(f"the certificates of the configuration cannot be used: {error}") from error
    return context


def _load_pair(context: ssl.SSLContext, config: ClientConfig) -> None:
    # OpenSSL's wrapper takes files only; this one is readable by us alone and gone at once.
    with tempfile.NamedTemporaryFile() as file:
        file.write(config.client_certificate + b"\n" + config.client_key)
        file.flush()
        context.load_cert_chain(file.name)
