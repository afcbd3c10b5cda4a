"""`pyb images`: builds the images that a machine without a registry needs."""

from __future__ import annotations

import argparse

from pybernetes.cluster import images
from pybernetes.cluster.layout import Layout


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`pyb images` has no flags."""


async def run(_arguments: argparse.Namespace) -> int:
    """0 when all images are built."""
    for archive in await images.build(Layout("").images, print):
        print(archive)
    return 0
