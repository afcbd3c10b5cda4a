"""The other end of the wire: `Client` over a `Transport`."""

from pybernetes.client.answers import ObjectList, WatchEvent
from pybernetes.client.client import Client
from pybernetes.client.config import ClientConfig
from pybernetes.client.errors import ConfigError, Expired, Unreachable
from pybernetes.client.patch_type import PatchType
from pybernetes.client.retry import Retry

__all__ = [
    "Client",
    "ClientConfig",
    "ConfigError",
    "Expired",
    "ObjectList",
    "PatchType",
    "Retry",
    "Unreachable",
    "WatchEvent",
]
