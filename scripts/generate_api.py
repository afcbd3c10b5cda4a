"""Generates `src/pybernetes/api/types/` and the structural schema from the published v1.36 definitions.

Flow: the JSON schema that the PyPI package `kubernetes-validate` ships, the protobuf field numbers that
`generate_protobuf.py` has written, and the facts beside this script (`*.json`: which struct fields are values and so
always written, what Go writes as null) go in; one module of msgspec structs per group-version and
`api/schema/definitions.json` come out.
Run it by hand: `.venv/bin/pip install kubernetes-validate && .venv/bin/python scripts/generate_api.py`.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from importlib import resources
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "src/pybernetes/api"
VERSION = "v1.36.0-local"
# Group-versions that the API server serves by default; alpha and beta are off upstream too.
PACKAGES = {
    "io.k8s.apimachinery.pkg.apis.meta.v1": "meta_v1",
    "io.k8s.apimachinery.pkg.version": "version",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1": "apiextensions_v1",
    "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1": "apiregistration_v1",
    "io.k8s.api.autoscaling.v2": "autoscaling_v2",
    **{
        f"io.k8s.api.{group}.v1": f"{group}_v1"
        for group in [
            "admissionregistration",
            "apps",
            "authentication",
            "authorization",
            "autoscaling",
            "batch",
            "certificates",
            "coordination",
            "core",
            "discovery",
            "events",
            "flowcontrol",
            "networking",
            "node",
            "policy",
            "rbac",
            "resource",
            "scheduling",
            "storage",
        ]
    },
}
SCALARS = {
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "str",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "str",
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "Quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "IntOrString",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "Any",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "Any",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": "Any",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray": "Any",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool": "Any",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray": "Any",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceStatus": "Any",
}
PLURAL_ACRONYMS = re.compile(r"(IP|CIDR|URL|ID|PID|WWN|API|WWID)s(?![a-z])")
# Words of Python, and the names that annotations in the same class body need.
RESERVED = {
    "from",
    "continue",
    "except",
    "not",
    "in",
    "as",
    "import",
    "bool",
    "int",
    "float",
    "str",
    "list",
    "dict",
}
PROSE = ("description", "externalDocs", "example")


def snake(name: str) -> str:
    """The Python spelling of a wire name: `podIPs` -> `pod_ips`."""
    name = name.lstrip("$").replace("x-kubernetes-", "x-kubernetes-").replace("-", "_")
    name = PLURAL_ACRONYMS.sub(lambda match: match.group(1).capitalize() + "s", name)
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name).lower()
    return name + "_" if name in RESERVED else name


def camel(name: str) -> str:
    """What msgspec's `rename="camel"` makes of a Python name."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def without_prose(node: Any) -> Any:
    """The schema node without texts, with `null` types and the package's own paths undone."""
    if isinstance(node, list):
        return [without_prose(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {}
    for key, value in node.items():
        if key in PROSE and not isinstance(value, dict):
            continue
        if key == "type" and isinstance(value, list):
            value = next(item for item in value if item != "null")
        if key == "$ref" and isinstance(value, str):
            value = value.rsplit("/", 1)[1]
        result[key] = without_prose(value)
    return result


def split(definition: str) -> tuple[str, str]:
    """A definition's package and its type name."""
    package, _, name = definition.rpartition(".")
    return package, name


class Module:
    """One generated module: the structs of one group-version."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.imports: dict[str, set[str]] = defaultdict(set)
        self.structs: dict[str, str] = {}
        # Struct -> structs whose constructor its body names, which must stand above it.
        self.needs: dict[str, set[str]] = defaultdict(set)
        self.scalars: set[str] = set()

    def text(self) -> str:
        lines = [f'"""The types of {self.name}, generated by scripts/generate_api.py: do not edit."""', ""]
        lines += ["from __future__ import annotations", ""]
        if "Any" in self.scalars:
            lines += ["from typing import Any", ""]
        if any("msgspec.field(" in struct for struct in self.structs.values()):
            lines += ["import msgspec", ""]
        own = sorted({"ApiStruct", *(self.scalars - {"Any", "str"})})
        lines.append(f"from pybernetes.api.struct import {', '.join(own)}")
        for module, names in sorted(self.imports.items()):
            lines.append(f"from pybernetes.api.{module} import {', '.join(sorted(names))}")
        return "\n".join(lines) + "\n\n\n" + "\n\n\n".join(self.in_order()) + "\n"

    def in_order(self) -> list[str]:
        """The structs by name, those that others construct first."""
        order: dict[str, str] = {}

        def place(name: str) -> None:
            for need in sorted(self.needs[name]):
                if need in self.structs and need not in order:
                    place(need)
            order.setdefault(name, self.structs[name])

        for name in sorted(self.structs):
            place(name)
        return list(order.values())


class Generator:
    """Turns definitions into modules; `values` lists `Definition.field` that are values, not pointers."""

    def __init__(self, definitions: dict[str, Any], values: set[str], nulls: dict[str, list[str]]) -> None:
        self.definitions = definitions
        self.values = values
        # Message -> number -> (field, type), written by scripts/generate_protobuf.py.
        self.numbers: dict[str, Any] = json.loads((TARGET / "schema/protobuf.json").read_text())
        self.nulls = nulls
        self.modules: dict[str, Module] = {}

    def annotation(self, node: dict[str, Any], module: Module) -> str:
        if isinstance(node.get("$ref"), str):
            return self.reference(node["$ref"], module)
        kind = node.get("type")
        if kind == "array":
            return f"list[{self.annotation(node['items'], module)}]"
        if kind == "object" and "additionalProperties" in node:
            return f"dict[str, {self.annotation(node['additionalProperties'], module)}]"
        if kind == "string":
            return "bytes" if node.get("format") == "byte" else "str"
        if kind == "integer":
            width = "Int32" if node.get("format") == "int32" else "Int64"
            module.scalars.add(width)
            return width
        if kind in ("number", "boolean"):
            return {"number": "float", "boolean": "bool"}[kind]
        module.scalars.add("Any")
        return "Any"

    def reference(self, definition: str, module: Module) -> str:
        if definition in SCALARS:
            module.scalars.add(SCALARS[definition])
            return SCALARS[definition]
        package, name = split(definition)
        home = PACKAGES[package]
        if home != module.name:
            module.imports[f"types.{home}"].add(name)
        return name

    def field(self, definition: str, wire: str, node: dict[str, Any], required: bool, module: Module) -> str:
        name = snake(wire)
        annotation = self.annotation(node, module)
        options = [] if camel(name) == wire else [f'name="{wire}"']
        if f"{definition}.{wire}" in self.nulls["lists"]:
            module.scalars |= {"NullableList", "no_items"}
            annotation, default, factory = annotation.replace("list[", "NullableList[", 1), None, "no_items"
        elif annotation.startswith("list["):
            default, factory = "[]", "list"
        elif annotation.startswith("dict["):
            default, factory = "{}", "dict"
        elif f"{definition}.{wire}" in self.values and node.get("$ref") not in SCALARS:
            default, factory = None, annotation
            module.needs[split(definition)[1]].add(annotation)
        elif f"{definition}.{wire}" in self.nulls["pointers_and_times"]:
            module.scalars.add("null")
            annotation, default, factory = f"{annotation} | None", None, "null"
        elif required and annotation in ("str", "Int32", "Int64", "bool", "float"):
            # Required scalars are written even when they are zero, and are absent-tolerant as in Go.
            zero = {"str": '""', "Int32": "0", "Int64": "0", "bool": "False", "float": "0.0"}[annotation]
            default, factory = None, f"lambda: {zero}"
        elif annotation == "Any":
            default, factory = "None", None
        else:
            annotation, default, factory = f"{annotation} | None", "None", None
        if default is not None and not options:
            return f"    {name}: {annotation} = {default}"
        options.append(f"default_factory={factory}" if factory else f"default={default}")
        return f"    {name}: {annotation} = msgspec.field({', '.join(options)})"

    def struct(self, definition: str, node: dict[str, Any]) -> None:
        package, name = split(definition)
        module = self.modules.setdefault(PACKAGES[package], Module(PACKAGES[package]))
        properties = dict(node.get("properties", {}))
        kinds = [k for k in node.get("x-kubernetes-group-version-kind", []) if k["kind"] == name]
        base, fields = "ApiStruct", []
        if properties.get("metadata", {}).get("$ref", "").endswith(".ObjectMeta") and kinds:
            base = "ApiObject"
            module.imports["objects"].add(base)
        if "apiVersion" in properties and "kind" in properties and kinds:
            group, version = kinds[0]["group"], kinds[0]["version"]
            api_version = f"{group}/{version}" if group else version
            if len(kinds) > 1 or name in ("Status", "DeleteOptions", "WatchEvent"):
                api_version = version
            fields.append(f'    kind: str = msgspec.field(default_factory=lambda: "{name}")')
            fields.append(f'    api_version: str = msgspec.field(default_factory=lambda: "{api_version}")')
            del properties["apiVersion"], properties["kind"]
            if base == "ApiObject":
                properties.pop("metadata")
        required = set(node.get("required", []))
        for wire, child in self.ordered(definition, properties):
            fields.append(self.field(definition, wire, child, wire in required, module))
        lists = [
            wire for wire, _ in self.ordered(definition, properties) if f"{definition}.{wire}" in self.nulls["lists"]
        ]
        if lists:
            fields.append("\n    def __post_init__(self) -> None:")
            fields += [f"        if self.{snake(w)} is None:\n            self.{snake(w)} = no_items()" for w in lists]
        body = "\n".join(fields) or "    pass"
        module.structs[name] = f"class {name}({base}, kw_only=True):\n{body}"

    def ordered(self, definition: str, properties: dict[str, Any]) -> list[tuple[str, Any]]:
        """Go's order of the fields, which is that of the protobuf numbers; what has none comes last."""
        numbers = {name: int(number) for number, (name, *_rest) in self.numbers.get(definition, {}).items()}
        return sorted(properties.items(), key=lambda item: numbers.get(item[0], 1000))


def api_definitions() -> dict[str, Any]:
    """The definitions of the served group-versions, without prose."""
    package = resources.files("kubernetes_validate") / "kubernetes-json-schema" / VERSION / "_definitions.json"
    everything: dict[str, Any] = json.loads(package.read_text())["$defs"]
    wanted = {}
    for name, node in sorted(everything.items()):
        if split(name)[0] in PACKAGES or name in SCALARS:
            wanted[name] = without_prose(node)
    return wanted


def main() -> None:
    definitions = api_definitions()
    values = set(json.loads((ROOT / "scripts/value_fields.json").read_text()))
    nulls = json.loads((ROOT / "scripts/null_fields.json").read_text())
    generator = Generator(definitions, values, nulls)
    for definition, node in definitions.items():
        if definition not in SCALARS:
            generator.struct(definition, node)
    types = TARGET / "types"
    types.mkdir(parents=True, exist_ok=True)
    for module in generator.modules.values():
        (types / f"{module.name}.py").write_text(module.text())
    (types / "__init__.py").write_text('"""Typed objects of the Kubernetes API, one module per group-version."""\n')
    schema = TARGET / "schema"
    schema.mkdir(exist_ok=True)
    compact = json.dumps(definitions, separators=(",", ":"), sort_keys=True)
    (schema / "definitions.json").write_text(compact + "\n")


if __name__ == "__main__":
    main()
