"""NamespaceLifecycle: nothing is made in a namespace that does not exist or is going; some namespaces never go."""

from __future__ import annotations

from pybernetes.api.kinds import kind_of
from pybernetes.api.status import StatusError, not_found
from pybernetes.api.types.core_v1 import Namespace
from pybernetes.api.types.meta_v1 import StatusCause
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import Bystander, refusal
from pybernetes.apiserver.reader import Reader

_IMMORTAL = ("default", "kube-system", "kube-public")


class NamespaceLifecycle(Bystander):
    """Looks at every write inside of a namespace, and at deletions of namespaces."""

    name = "NamespaceLifecycle"
    repeats = True

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def handles(self, request: AdmissionRequest) -> bool:
        if request.kind.type is Namespace:
            return request.operation == "DELETE" and request.name in _IMMORTAL
        # Whoever asks about rights is not told which namespaces there are.
        if request.kind.resource == "localsubjectaccessreviews":
            return False
        return request.operation in ("CREATE", "UPDATE") and bool(request.namespace)

    async def admit(self, request: AdmissionRequest) -> None:
        if request.kind.type is Namespace:
            raise refusal(request, "this namespace may not be deleted")
        namespace = self._reader.get(Namespace, request.namespace)
        if namespace is None:
            raise not_found(kind_of(Namespace), request.namespace)
        if request.operation == "CREATE" and _is_going(namespace):
            raise _terminating(request)


def _is_going(namespace: Namespace) -> bool:
    return namespace.status.phase == "Terminating" or namespace.metadata.deletion_timestamp is not None


def _terminating(request: AdmissionRequest) -> StatusError:
    name = request.namespace
    error = refusal(request, f"unable to create new content in namespace {name} because it is being terminated")
    if error.status.details is not None:
        message = f"namespace {name} is being terminated"
        error.status.details.causes = [
            StatusCause(reason="NamespaceTerminating", message=message, field="metadata.namespace")
        ]
    return error
