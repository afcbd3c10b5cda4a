"""The paths of discovery, of the version and of token keys, as values, like those of resources in `operations`."""

from __future__ import annotations

from pybernetes.apiserver.openapi.operations import JSON, OBJECTS, Operation, Path, group_word, tag_of

_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_INFO = "io.k8s.apimachinery.pkg.version.Info"


def resources_path(group: str, version: str) -> Path:
    """Where the resources of a group-version are listed."""
    prefix = f"/apis/{group}/{version}/" if group else f"/api/{version}/"
    name = f"get{group_word(group)}{version.capitalize()}APIResources"
    return _get(prefix, tag_of(group, version), name, _META + "APIResourceList", consumes=OBJECTS)


def group_path(group: str) -> Path:
    """Where the versions of a group are listed; of the core group for an empty name."""
    if not group:
        return _get("/api/", "core", "getCoreAPIVersions", _META + "APIVersions", consumes=OBJECTS)
    name = f"get{group_word(group)}APIGroup"
    return _get(f"/apis/{group}/", tag_of(group), name, _META + "APIGroup", consumes=OBJECTS)


def _get(
    path: str,
    tag: str,
    name: str,
    result: str,
    *,
    consumes: tuple[str, ...] = (),
    produces: tuple[str, ...] = OBJECTS,
) -> Path:
    return Path(path, tag, (Operation("get", name, "", None, result, consumes=consumes, produces=produces),))


# By the name of the document in version 3.
SINGLE_PATHS = {
    ".well-known/openid-configuration": _get(
        "/.well-known/openid-configuration/",
        "WellKnown",
        "getServiceAccountIssuerOpenIDConfiguration",
        "",
        produces=(JSON,),
    ),
    "apis": _get("/apis/", "apis", "getAPIVersions", _META + "APIGroupList", consumes=OBJECTS),
    "openid/v1/jwks": _get(
        "/openid/v1/jwks/",
        "openid",
        "getServiceAccountIssuerOpenIDKeyset",
        "",
        produces=("application/jwk-set+json",),
    ),
    "version": _get("/version/", "version", "getCodeVersion", _INFO, consumes=(JSON,), produces=(JSON,)),
}
