"""The controller pattern: watch -> cache -> queue -> one key at a time."""

from pybernetes.reconcile.cache import Cache
from pybernetes.reconcile.controller import Controller
from pybernetes.reconcile.events import EventRecorder
from pybernetes.reconcile.expectations import Expectations
from pybernetes.reconcile.informer import Informer, Selection
from pybernetes.reconcile.keys import key_of, split_key
from pybernetes.reconcile.queue import WorkQueue
from pybernetes.reconcile.shared import Informers

__all__ = [
    "Cache",
    "Controller",
    "EventRecorder",
    "Expectations",
    "Informer",
    "Informers",
    "Selection",
    "WorkQueue",
    "key_of",
    "split_key",
]
