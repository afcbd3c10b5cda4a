"""What the API server's flags mean to it."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pybernetes.apiserver.options import ApiServerOptions
from pybernetes.cluster.apiserver_flags import Files, add_arguments, options


def parsed(folder: Path, *flags: str) -> ApiServerOptions:
    key = folder / "key"
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key.write_bytes(ec.generate_private_key(ec.SECP256R1()).private_bytes(serialization.Encoding.PEM, *form))
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return options(parser.parse_args(["--data-dir", str(folder), *flags]), Files(key, key, key, key))


@pytest.mark.parametrize(
    ("flags", "allowed"),
    [
        ((), True),
        (("--authorization-mode=RBAC",), True),
        (("--anonymous-auth=false",), False),
        (("--authorization-mode=RBAC,AlwaysAllow",), False),
        (("--authorization-mode=AlwaysAllow", "--anonymous-auth=true"), False),
    ],
)
def test_strangers_are_not_let_in_where_everybody_may_do_everything(
    tmp_path: Path, flags: tuple[str, ...], allowed: bool
) -> None:
    assert parsed(tmp_path, *flags).anonymous == allowed


def test_plugins_are_named_in_lists(tmp_path: Path) -> None:
    flags = "--enable-admission-plugins=NodeRestriction,Priority", "--disable-admission-plugins=ServiceAccount"
    found = parsed(tmp_path, *flags)
    assert (found.enable_admission, found.disable_admission) == (("NodeRestriction", "Priority"), ("ServiceAccount",))
