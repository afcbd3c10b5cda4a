"""Pod templates in a description, as workloads and `rollout history --revision` show them."""

from __future__ import annotations

from collections.abc import Sequence

from pybernetes.api.types.core_v1 import PodTemplateSpec, Toleration
from pybernetes.kubectl.describe.containers import write_containers
from pybernetes.kubectl.describe.volumes import write_volumes
from pybernetes.kubectl.describe.writing import Writing, write_annotations, write_map


def describe_template(writing: Writing, template: PodTemplateSpec) -> None:
    """Everything under `Pod Template:`."""
    spec = template.spec
    writing.line("Pod Template:")
    write_map(writing, "  Labels", template.metadata.labels)
    if template.metadata.annotations:
        write_annotations(writing, template.metadata.annotations, "  Annotations")
    if spec.service_account_name:
        writing.pair("  Service Account", spec.service_account_name)
    if spec.init_containers:
        write_containers(writing, "Init Containers", spec.init_containers, space="  ")
    write_containers(writing, "Containers", spec.containers, space="  ")
    write_volumes(writing, spec.volumes, "  ")
    if spec.priority_class_name:
        writing.pair("  Priority Class Name", spec.priority_class_name)
    write_map(writing, "  Node-Selectors", spec.node_selector)
    write_tolerations(writing, spec.tolerations, "  Tolerations")


def write_tolerations(writing: Writing, tolerations: Sequence[Toleration], title: str) -> None:
    """A toleration a line, by key."""
    lines = [toleration_text(item) for item in sorted(tolerations, key=lambda item: item.key or "")] or ["<none>"]
    writing.line(f"{title}:\t{lines[0]}")
    for line in lines[1:]:
        writing.line(f"\t{line}")


def toleration_text(toleration: Toleration) -> str:
    """`key=value:Effect op=Exists for 300s`."""
    text = toleration.key or ""
    text += f"={toleration.value}" if toleration.value else ""
    text += f":{toleration.effect}" if toleration.effect else ""
    if toleration.operator == "Exists" and not toleration.value:
        text += " op=Exists" if toleration.key or toleration.effect else "op=Exists"
    if toleration.toleration_seconds is not None:
        text += f" for {toleration.toleration_seconds}s"
    return text
