"""ImageLocality: nodes that have the pod's images need not pull them."""

from __future__ import annotations

from pybernetes.scheduler.decide.plugin import MAX_SCORE, Case
from pybernetes.scheduler.node_info import NodeInfo

NAME = "ImageLocality"
_MIB = 1024 * 1024
LEAST = 23 * _MIB  # smaller images are pulled so fast that it does not matter
MOST = 1000 * _MIB  # an image; bigger ones count as this


def score(case: Case, nodes: list[NodeInfo]) -> list[int] | None:
    """By the size of the images present, each weighted by how many nodes have it, lest one node draws all pods."""
    pod, snapshot, _ = case
    spec = pod.pod.spec
    images = [container.image or "" for container in (*spec.init_containers, *spec.containers)]
    images += [volume.image.reference or "" for volume in spec.volumes if volume.image is not None]
    held = [holders for image in images if (holders := snapshot.images.get(tagged(image)))]
    if not held:
        return None
    total, most = len(snapshot.nodes), MOST * len(images)
    sums = [0] * len(nodes)
    for holders in held:
        spread = len(holders) / total
        sums = [have + int(holders.get(node.name, 0) * spread) for have, node in zip(sums, nodes, strict=True)]
    return [MAX_SCORE * (min(max(size, LEAST), most) - LEAST) // (most - LEAST) for size in sums]


def tagged(image: str) -> str:
    """The image as nodes report it: with `:latest` when nothing else is said."""
    return image if image.rfind(":") > image.rfind("/") else f"{image}:latest"
