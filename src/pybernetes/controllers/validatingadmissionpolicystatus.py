"""Says of every ValidatingAdmissionPolicy what its expressions get wrong about the objects that it is for.

Policies and CustomResourceDefinitions flow in; the status of policies is applied.
"""

from __future__ import annotations

from pybernetes.api.kinds import find_kind, find_resource
from pybernetes.api.objects import to_builtins
from pybernetes.api.schema import definition_of
from pybernetes.api.status import StatusError
from pybernetes.api.types.admissionregistration_v1 import (
    ParamKind,
    TypeChecking,
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyStatus,
)
from pybernetes.api.types.apiextensions_v1 import CustomResourceDefinition, CustomResourceDefinitionVersion
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.cel import types
from pybernetes.cel.built_in import object_type_of
from pybernetes.cel.schemas import declare
from pybernetes.cel.types import ObjectType, Type
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController
from pybernetes.controllers.type_checking import expression_warnings, resources_named
from pybernetes.turns import in_turns

_MANAGER = "validatingadmissionpolicy-status"


class ValidatingAdmissionPolicyStatusController(KeyedController):
    """`validatingadmissionpolicy-status-controller`."""

    name = "validatingadmissionpolicy-status-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._policies = self.watch_own(ValidatingAdmissionPolicy)
        self._definitions = self.informer(CustomResourceDefinition)

    async def reconcile(self, key: str) -> float | None:
        policy = self._policies.cache.get("", key)
        if policy is None or policy.status.observed_generation == policy.metadata.generation:
            return None
        types = self._types(policy)
        warnings = await in_turns(lambda: expression_warnings(policy.spec, *types))
        status = ValidatingAdmissionPolicyStatus(
            observed_generation=policy.metadata.generation,
            type_checking=TypeChecking(expression_warnings=warnings),
        )
        applied = ValidatingAdmissionPolicy(metadata=ObjectMeta(name=key), status=status)
        try:
            await self.client.apply(applied, _MANAGER, "status")
        except StatusError as error:
            if error.code != 404:
                raise
        return None

    def _types(self, policy: ValidatingAdmissionPolicy) -> tuple[dict[str, Type], Type]:
        """The types of the objects that a policy is for, by name, and of its params."""
        found: dict[str, Type] = {}
        for group, version, resource in resources_named(policy.spec.match_constraints):
            known = self._resource(group, version, resource)
            if known is not None:
                found[f"{group}/{version}, Kind={known[0]}"] = known[1]
        return found, self._params(policy.spec.param_kind)

    def _resource(self, group: str, version: str, resource: str) -> tuple[str, Type] | None:
        kind = find_resource(group, version, resource)
        if kind is not None:
            return kind.name, object_type_of(definition_of(kind.type))
        for definition in self._definitions.cache.list():
            if (definition.spec.group, definition.spec.names.plural) == (group, resource):
                return _declared(definition, version)
        return None

    def _params(self, wanted: ParamKind | None) -> Type:
        if wanted is None:
            return types.DYN
        kind = find_kind(wanted.api_version or "", wanted.kind or "")
        if kind is not None:
            return object_type_of(definition_of(kind.type))
        group, _, version = (wanted.api_version or "").rpartition("/")
        for definition in self._definitions.cache.list():
            if (definition.spec.group, definition.spec.names.kind) == (group, wanted.kind):
                known = _declared(definition, version)
                return known[1] if known is not None else types.DYN
        return types.DYN


def _declared(definition: CustomResourceDefinition, name: str) -> tuple[str, Type] | None:
    """Kind and type of one version of a custom resource."""
    version: CustomResourceDefinitionVersion | None = next(
        (item for item in definition.spec.versions if item.name == name), None
    )
    schema = version.schema.open_apiv3_schema if version is not None and version.schema is not None else None
    declared = declare(to_builtins(schema), is_root=True) if schema is not None else None
    if declared is None or not isinstance(declared.type, ObjectType):
        return None
    # Of an object's own metadata the schema says nothing.
    declared.type.fields["metadata"] = object_type_of(definition_of(ObjectMeta))
    return definition.spec.names.kind, declared.type
