"""The images of a local cluster, built here from Debian packages and the project: no registry, no container engine.

`build` gives the archives (OCI layout tars) that hold them, building only what its inputs say is new; `engine_template`
turns archives into a containerd root that nodes start from. Called by `local` and by `pyb images`.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import hashlib
import platform
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from pybernetes.cluster import images_debian, images_pause, images_python
from pybernetes.cluster.images_oci import Blob, Entry, Files, Image, full_name, layer, write_archive
from pybernetes.cluster.state import ClusterError, write_whole

PAUSE = "registry.k8s.io/pause:3.10.1"
BUSYBOX = ("busybox:1.28", "busybox:1.36", "busybox:latest")
NGINX_TAGS = ("1.7.9", "1.9.1", "1.14.2", "1.16.1", "1.25", "1.27", "latest")
PYBERNETES = "pybernetes/pybernetes:local"
# Archives, and what the container engine unpacks of them.
_SIZE = "600 MB"
STAND_IN = "io.pybernetes.stand-in"

Say = Callable[[str], None]


@asynccontextmanager
async def exclusive(folder: Path) -> AsyncIterator[None]:
    """One process at a time builds in `folder`; others wait until it has finished. ClusterError: the disk is full."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with (folder / "lock").open("w") as lock:
            await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise ClusterError(
            f"no space is left for the images in {folder} ({error.strerror}); they need about {_SIZE}"
        ) from error


async def build(folder: Path, say: Say) -> list[Path]:
    """The archives with all images, built in `folder` unless they are there. Raises ClusterError."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    packages = await images_debian.fetch_nginx(folder / "debian")
    base_key = _key(packages, [_busybox(), *_recipes()])
    python_key = _key(images_python.distributions(), _recipes())
    project_key = _key([], [*images_python.project_sources(), *_recipes(), images_python.interpreter(), _busybox()])
    base = folder / f"base-{base_key}.tar"
    addons = folder / f"pybernetes-{python_key}-{project_key}.tar"
    if not base.exists():
        say("building images: pause, busybox, nginx (a stand-in from Debian's nginx, whatever its tag says)")
        await _write(base, await _base_images(packages), "base-*.tar")
    if not addons.exists():
        say(f"building image: {PYBERNETES}")
        await _write(addons, [await _pybernetes_image(folder, python_key)], "pybernetes-*.tar")
    return [base, addons]


async def _base_images(packages: list[Path]) -> list[Image]:
    busybox_layer = layer(await images_debian.busybox_files())
    nginx_layer = layer(await images_debian.nginx_files(packages))
    return [
        _pause_image(busybox_layer),
        Image(_names(BUSYBOX), (busybox_layer,), ("sh",), _labels("busybox", "Debian's busybox-static")),
        *(_nginx_image(tag, (busybox_layer, nginx_layer)) for tag in NGINX_TAGS),
    ]


def _pause_image(busybox_layer: Blob) -> Image:
    labels = _labels("pause", "a program of the Pybernetes project")
    program = images_pause.pause_program(platform.machine())
    if program is None:
        return Image((PAUSE,), (busybox_layer,), ("/bin/busybox", "sleep", "infinity"), labels)
    return Image((PAUSE,), (layer({"pause": Entry(program)}),), (), labels, entrypoint=("/pause",))


def _nginx_image(tag: str, below: tuple[Blob, ...]) -> Image:
    own = layer(images_debian.nginx_tag_files(tag))
    labels = _labels(f"nginx:{tag}", "Debian's nginx")
    command = ("nginx", "-g", "daemon off;")
    return Image(_names([f"nginx:{tag}"]), (*below, own), command, labels, ports=("80/tcp",))


async def _pybernetes_image(folder: Path, python_key: str) -> Image:
    env = (*Image((), (), ()).env, f"PYTHONPATH=/{images_python.SITE}", "PYTHONDONTWRITEBYTECODE=1")
    layers = (
        layer(await images_debian.busybox_files()),
        await _kept_layer(folder, f"python-{python_key}", images_python.interpreter_files),
        await _kept_layer(folder, f"packages-{python_key}", images_python.dependency_files),
        layer(images_python.project_files()),
    )
    return Image(_names([PYBERNETES]), layers, (), env=env, entrypoint=("pyb",))


async def _kept_layer(folder: Path, name: str, files: Callable[[], Awaitable[Files]]) -> Blob:
    """A layer that does not change with the project, kept in a file."""
    path = folder / f"{name}.layer"
    if path.exists():
        return Blob.of(path.read_bytes())
    made = layer(await files())
    for old in folder.glob(f"{name.partition('-')[0]}-*.layer"):
        old.unlink()
    write_whole(path, made.data)
    return made


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(full_name(name) for name in names)


def _labels(name: str, what: str) -> dict[str, str]:
    return {STAND_IN: f"{name} is built by Pybernetes from {what}; it is not the image of that name in a registry"}


async def _write(path: Path, images: list[Image], outdated: str) -> None:
    """Writes the archive whole or not at all, and drops those that it replaces."""
    fresh = path.with_name(f".{path.name}")
    try:
        await asyncio.to_thread(write_archive, fresh, images)
    except OSError:
        # On a full disk, half an archive would only keep others from their space.
        fresh.unlink(missing_ok=True)
        raise
    for old in path.parent.glob(outdated):
        old.unlink()
    fresh.replace(path)


def _busybox() -> Path:
    return Path(shutil.which("busybox") or "/bin/busybox")


def _recipes() -> list[Path]:
    return sorted(Path(__file__).parent.glob("images*.py"))


def _key(named: Iterable[Path], read: Iterable[Path]) -> str:
    """A key of content: packages and interpreters count by name and size, other files by their bytes."""
    digest = hashlib.sha256(platform.machine().encode())
    for path in named:
        size = path.stat().st_size if path.exists() else 0
        digest.update(f"{path.name} {size}\n".encode())
    for path in read:
        digest.update(path.name.encode() + b"\0" + (path.read_bytes() if path.exists() else b""))
    return digest.hexdigest()[:16]
