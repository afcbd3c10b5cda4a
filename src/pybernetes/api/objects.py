"""What all API objects share: kind, apiVersion and metadata."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from pybernetes.api.struct import ApiStruct
from pybernetes.api.types.meta_v1 import ObjectMeta


class ApiObject(ApiStruct, kw_only=True):
    """An object with a life of its own in the API, such as a Pod."""

    kind: str = ""
    api_version: str = ""
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)


Object = TypeVar("Object", bound=ApiObject)
