"""Writing OCI images without a container engine: files -> layer -> image -> one tar that containerd imports.

The same files give the same bytes: entries are sorted, owned by root, and dated 1970. Called by `images`.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_LAYER = "application/vnd.oci.image.layer.v1.tar"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "ppc64le": "ppc64le", "s390x": "s390x"}


@dataclass(frozen=True)
class Entry:
    """One path of a layer: a file (`data`), a symbolic link (`target`), or a folder (neither)."""

    data: bytes | Path | None = None
    target: str = ""
    mode: int = 0o755


Files = dict[str, Entry]


@dataclass(frozen=True)
class Blob:
    """Bytes and their digest."""

    data: bytes
    digest: str

    @staticmethod
    def of(data: bytes) -> Blob:
        return Blob(data, "sha256:" + hashlib.sha256(data).hexdigest())

    @staticmethod
    def of_json(value: object) -> Blob:
        return Blob.of(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


@dataclass(frozen=True)
class Image:
    """An image to be written: its full names, its layers from the lowest, and what its config says."""

    names: tuple[str, ...]
    layers: tuple[Blob, ...]
    command: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    env: tuple[str, ...] = ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",)
    ports: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()


def architecture() -> str:
    """This machine's, as OCI spells it."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


def full_name(name: str) -> str:
    """The name as containerd keeps it: `nginx:1.7.9` is `docker.io/library/nginx:1.7.9`."""
    first, slash, _ = name.partition("/")
    if not slash:
        name = f"docker.io/library/{name}"
    elif "." not in first and ":" not in first and first != "localhost":
        name = f"docker.io/{name}"
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def layer(files: Mapping[str, Entry]) -> Blob:
    """A layer of those paths (no leading slash); folders on the way are made."""
    whole = {parent: Entry() for path in files for parent in _parents(path)} | dict(files)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path in sorted(whole):
            _add(tar, path, whole[path])
    return Blob.of(out.getvalue())


def _add(tar: tarfile.TarFile, path: str, entry: Entry) -> None:
    info = tarfile.TarInfo(path)
    info.mode = entry.mode
    if entry.target:
        info.type, info.linkname = tarfile.SYMTYPE, entry.target
        tar.addfile(info)
    elif entry.data is None:
        info.type = tarfile.DIRTYPE
        tar.addfile(info)
    else:
        data = entry.data.read_bytes() if isinstance(entry.data, Path) else entry.data
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: number + 1]) for number in range(len(parts))]


def write_archive(path: Path, images: Sequence[Image]) -> None:
    """All images in one OCI layout tar; layers that they share are in it once."""
    blobs: dict[str, Blob] = {}
    manifests: list[dict[str, Any]] = []
    for image in images:
        manifest = _manifest(image, blobs)
        blobs[manifest.digest] = manifest
        described = {
            "mediaType": _MANIFEST,
            "digest": manifest.digest,
            "size": len(manifest.data),
            "platform": {"architecture": architecture(), "os": "linux"},
        }
        by_digest = {f"{name.rpartition(':')[0]}@{manifest.digest}" for name in image.names}
        names = (*image.names, *sorted(by_digest))
        manifests += [{**described, "annotations": {"io.containerd.image.name": name}} for name in names]
    files = {f"blobs/sha256/{digest.removeprefix('sha256:')}": Entry(blob.data) for digest, blob in blobs.items()}
    files["oci-layout"] = Entry(b'{"imageLayoutVersion":"1.0.0"}')
    files["index.json"] = Entry(Blob.of_json({"schemaVersion": 2, "mediaType": _INDEX, "manifests": manifests}).data)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(layer(files).data)


def _manifest(image: Image, blobs: dict[str, Blob]) -> Blob:
    config = Blob.of_json(
        {
            "architecture": architecture(),
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": {
                "Env": list(image.env),
                "Entrypoint": list(image.entrypoint) or None,
                "Cmd": list(image.command) or None,
                "Labels": dict(image.labels),
                "ExposedPorts": {port: {} for port in image.ports},
                "WorkingDir": "/",
            },
            "rootfs": {"type": "layers", "diff_ids": [blob.digest for blob in image.layers]},
        }
    )
    blobs[config.digest] = config
    blobs.update({blob.digest: blob for blob in image.layers})
    return Blob.of_json(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": {"mediaType": _CONFIG, "digest": config.digest, "size": len(config.data)},
            "layers": [{"mediaType": _LAYER, "digest": blob.digest, "size": len(blob.data)} for blob in image.layers],
        }
    )


def image_names(path: Path) -> list[str]:
    """The names under which an archive's images are imported."""
    with tarfile.open(path) as tar:
        index = tar.extractfile("index.json")
        assert index is not None
        return [each["annotations"]["io.containerd.image.name"] for each in json.load(index)["manifests"]]
