"""Files for images from Debian packages: downloaded once, unpacked, and reduced to what a program needs to run.

`busybox_files` needs the package busybox-static installed; `nginx_files` downloads nginx with apt, which need not be
installed. Called by `images`.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from pybernetes.cluster.images_oci import Entry, Files
from pybernetes.cluster.state import ClusterError
from pybernetes.environment.process import CommandFailed, run

_PASSWD = """root:x:0:0:root:/root:/bin/sh
www-data:x:33:33:www-data:/var/www:/bin/false
nobody:x:65534:65534:nobody:/:/bin/false
"""
_GROUP = "root:x:0:\ntty:x:5:\nwww-data:x:33:\nnogroup:x:65534:\n"
_NGINX_CONF = b"""user www-data;
worker_processes 1;
error_log /var/log/nginx/error.log notice;
pid /run/nginx.pid;
events { worker_connections 1024; }
http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log /var/log/nginx/access.log combined;
    sendfile on;
    keepalive_timeout 65;
    include /etc/nginx/conf.d/*.conf;
}
"""


async def busybox_files() -> Files:
    """A root file system with one program and a link for each of its names."""
    found = shutil.which("busybox")
    if found is None:
        raise ClusterError("the images need busybox: apt-get install busybox-static")
    files: Files = {"bin/busybox": Entry(Path(found).resolve())}
    for applet in (await run([found, "--list"])).split():
        if applet != "busybox":
            files[f"bin/{applet}"] = Entry(target="busybox")
    files |= {
        "etc/passwd": Entry(_PASSWD.encode(), mode=0o644),
        "etc/group": Entry(_GROUP.encode(), mode=0o644),
        "usr/bin/env": Entry(target="/bin/busybox"),
        "tmp": Entry(mode=0o1777),
        "root": Entry(mode=0o700),
    }
    return files | {name: Entry() for name in ("run", "var", "home", "proc", "sys", "dev")}


async def fetch_nginx(cache: Path) -> list[Path]:
    """The Debian packages of nginx and its libraries, downloaded into `cache` unless they are there already."""
    have = sorted(cache.glob("*.deb"))
    if have:
        return have
    await asyncio.to_thread(cache.mkdir, parents=True, exist_ok=True)
    wanted = ["nginx", *nginx_dependencies(await run(["apt-cache", "depends", "--important", "nginx"]))]
    with TemporaryDirectory(dir=cache.parent) as fresh:
        await download(wanted, Path(fresh))
        for package in Path(fresh).glob("*.deb"):
            package.replace(cache / package.name)
    return sorted(cache.glob("*.deb"))


def nginx_dependencies(listing: str) -> list[str]:
    """From `apt-cache depends nginx`: the packages to unpack with it. The C library is the host's own."""
    names = re.findall(r"^\s*Depends: ([a-z0-9.+-]+)$", listing, re.MULTILINE)
    return sorted({name for name in names if name == "nginx-common" or name.startswith(("lib", "zlib"))} - {"libc6"})


async def download(packages: list[str], folder: Path) -> None:
    """`apt-get download`, after `apt-get update` when the lists are missing or old. Raises ClusterError."""
    command = ["sh", "-c", 'cd "$0" && exec apt-get -q download "$@"', str(folder), *packages]
    try:
        try:
            await run(command)
        except CommandFailed:
            await run(["apt-get", "-q", "update"])
            await run(command)
    except (CommandFailed, FileNotFoundError) as error:
        raise ClusterError(f"cannot download {', '.join(packages)} for the nginx image: {error}") from error


async def nginx_files(packages: list[Path]) -> Files:
    """nginx with its libraries and its configuration, to be laid over the files of busybox."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        for package in packages:
            await run(["dpkg-deb", "-x", str(package), folder])
        program = root / "usr/sbin/nginx"
        files: Files = {"usr/sbin/nginx": Entry(program.read_bytes())}
        files |= await library_files([program], root)
        files["etc/nginx/mime.types"] = Entry((root / "etc/nginx/mime.types").read_bytes(), mode=0o644)
    files["etc/nginx/nginx.conf"] = Entry(_NGINX_CONF, mode=0o644)
    files["var/lib/nginx"] = Entry()
    files["usr/share/nginx/html/50x.html"] = Entry(b"<h1>An error occurred.</h1>\n", mode=0o644)
    for name, stream in (("access.log", "stdout"), ("error.log", "stderr")):
        files[f"var/log/nginx/{name}"] = Entry(target=f"/dev/{stream}")
    return files


def nginx_tag_files(tag: str) -> Files:
    """What makes the page of one tag differ from that of another."""
    page = f"""<!DOCTYPE html>
<html>
<head><title>Welcome to nginx!</title></head>
<body>
<h1>Welcome to nginx!</h1>
<p>nginx:{tag} (a stand-in that Pybernetes built from Debian's nginx)</p>
</body>
</html>
"""
    server = f"""server {{
    listen 80;
    server_name localhost;
    add_header X-Image "nginx:{tag}" always;
    location / {{ root /usr/share/nginx/html; index index.html; }}
    error_page 500 502 503 504 /50x.html;
    location = /50x.html {{ root /usr/share/nginx/html; }}
}}
"""
    return {
        "usr/share/nginx/html/index.html": Entry(page.encode(), mode=0o644),
        "etc/nginx/conf.d/default.conf": Entry(server.encode(), mode=0o644),
    }


async def library_files(programs: Iterable[Path], root: Path | None = None) -> Files:
    """The shared libraries of the `programs` and their loader; those under `root` come before the host's."""
    env = (
        {"LD_LIBRARY_PATH": ":".join(map(str, sorted((root or Path()).glob("usr/lib/*-linux-gnu"))))} if root else None
    )
    listing = await run(["ldd", *map(str, programs)], env=env)
    if "not found" in listing:
        raise ClusterError(f"a shared library is missing on this host: {listing}")
    files: Files = {}
    for found in sorted(set(re.findall(r"(?:=> |^\s+)(/\S+) \(0x", listing, re.MULTILINE))):
        inside = Path("/") / Path(found).relative_to(root) if root and Path(found).is_relative_to(root) else Path(found)
        files[str(inside).lstrip("/")] = Entry(Path(found).resolve().read_bytes())
    return files
