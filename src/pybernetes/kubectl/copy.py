"""`kubectl cp`: files to and from containers, as tar archives through exec; the container must have `tar`."""

from __future__ import annotations

import io
import tarfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pybernetes.kubectl import workloads
from pybernetes.kubectl.execute import concluded
from pybernetes.kubectl.failures import error, usage
from pybernetes.kubectl.remote import Command, Ends, start
from pybernetes.kubectl.selection import Target
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.words import Flag, Words, switch
from pybernetes.streaming.remote_command import CommandStreams

FLAGS = (Flag("container", "c"), Flag("retries", default="0"), switch("no-preserve"))


@dataclass(frozen=True)
class Place:
    """A path, on this machine or (with a pod) in a container."""

    path: str
    pod: str = ""
    namespace: str = ""


def place(text: str) -> Place:
    """`POD:PATH`, `NAMESPACE/POD:PATH` or a local path."""
    where, colon, path = text.partition(":")
    if not colon or text.startswith(("/", ".")):
        return Place(text)
    namespace, _, pod = where.rpartition("/")
    if not pod or not path:
        raise error(
            "filepath can not be empty"
            if pod
            else "Filespec must match the canonical format: [[namespace/]pod:]file/path"
        )
    return Place(path, pod, namespace)


async def run(session: Session, words: Words) -> int:
    """0 when everything is copied."""
    if len(words.arguments) != 2:
        raise usage("source and destination are required", "cp")
    source, destination = place(words.arguments[0]), place(words.arguments[1])
    if bool(source.pod) == bool(destination.pod):
        raise error(
            "one of src or dest must be a local file specification"
            if source.pod
            else "one of src or dest must be a remote file specification"
        )
    remote = source if source.pod else destination
    session.namespace = remote.namespace or session.namespace
    pod = await workloads.one_pod(session, Target(await session.resource("pods"), remote.pod))
    container, note = workloads.container_of(pod, words.text("container"))
    if note:
        session.warn(note)
    if source.pod:
        await _download(session, source, destination, container)
    else:
        await _upload(session, source, destination, container)
    return 0


async def _download(session: Session, source: Place, destination: Place, container: str) -> None:
    archive = bytearray()
    streams = CommandStreams(stdout=True, stderr=True)
    command = Command(source.pod, container, ("tar", "cf", "-", source.path), streams)
    remote = await start(session, command)
    # tar tells that it strips leading slashes; upstream shows it too.
    concluded(await remote.run(Ends(None, archive.extend, session.write_error_bytes)))
    unpack(bytes(archive), source.path, Path(destination.path))


def unpack(archive: bytes, root: str, destination: Path) -> None:
    """Writes an archive's files below `destination`; members that would leave it are an error."""
    name = PurePosixPath(root.strip("/"))
    if destination.is_dir():
        destination = destination / name.name
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar.getmembers():
            inner = PurePosixPath(member.name.strip("/"))
            inside = inner.relative_to(name) if inner.is_relative_to(name) else inner
            if ".." in inside.parts:
                raise error(f"illegal path in archive: {member.name}")
            target = destination.joinpath(*inside.parts)
            if member.isdir():
                target.mkdir(parents=True, exist_ok=True)
            elif member.isfile():
                target.parent.mkdir(parents=True, exist_ok=True)
                content = tar.extractfile(member)
                target.write_bytes(content.read() if content is not None else b"")
                target.chmod(member.mode & 0o777)


async def _upload(session: Session, source: Place, destination: Place, container: str) -> None:
    local = Path(source.path)
    if not local.exists():
        raise error(f"{source.path} doesn't exist in local filesystem")
    path = PurePosixPath(destination.path)
    if destination.path.endswith("/") or await _is_folder(session, destination, container):
        path = path / local.name
    words = ("tar", "xmf", "-", "-C", str(path.parent))
    command = Command(destination.pod, container, words, CommandStreams(stdin=True, stdout=True, stderr=True))
    remote = await start(session, command)
    ends = Ends(_chunks(pack(local, path.name)), session.write_bytes, session.write_error_bytes)
    concluded(await remote.run(ends))


async def _is_folder(session: Session, destination: Place, container: str) -> bool:
    words = ("test", "-d", destination.path)
    remote = await start(session, Command(destination.pod, container, words, CommandStreams(stdout=True, stderr=True)))
    status = await remote.run(Ends(None, lambda _data: None, lambda _data: None))
    return status.status == "Success"


def pack(local: Path, name: str) -> bytes:
    """A file or folder as an archive in which it is called `name`."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.GNU_FORMAT) as tar:
        tar.add(local, arcname=name)
    return archive.getvalue()


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    size = 32 * 1024
    for start_ in range(0, len(data), size):
        yield data[start_ : start_ + size]
