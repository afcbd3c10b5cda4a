"""One stored object as the API server holds it in memory: the store's bytes, and what selectors and readers ask of it.

The store keeps JSON without a resourceVersion (it is the revision that the store gives); it is spliced in when the
object is written out, so that no object is encoded twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from functools import cached_property

import msgspec

from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject, CustomObject, encode, forget_empty
from pybernetes.apiserver.custom.rules import Decoder
from pybernetes.apiserver.resources.strategies import strategy_of
from pybernetes.store.contract import KeyValue

_METADATA = b'"metadata":{'
# Objects of one kind that are kept parsed, besides their bytes. Those of large collections would fill the memory.
_PARSED_MAX = 4096


class _Metadata(msgspec.Struct):
    labels: dict[str, str] = {}


class _Labelled(msgspec.Struct):
    """An object as far as label selectors look at it: read in a tenth of the time of the whole."""

    metadata: _Metadata


_labels_decoder = msgspec.json.Decoder(_Labelled)


class Form:
    """How the objects of one kind are stored: their decoder and the bytes that every encoded object begins with."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.strategy = strategy_of(kind)
        self.restored: Callable[[bytes], bytes] | None = None
        if issubclass(kind.type, CustomObject):
            # What was stored under a former definition is read as the present one wants it.
            self.restored = Decoder(kind.type).restored
        self.head = f'{{"kind":"{kind.name}","apiVersion":"{kind.api_version}",'.encode()
        # Every encoded object begins with its kind, apiVersion and metadata: an invariant of `ApiObject`.
        self.rest = len(self.head) + len(_METADATA)
        self._parsed: deque[Entry] = deque()

    @cached_property
    def decoder(self) -> Decoder | msgspec.json.Decoder[ApiObject]:
        """Made when first needed: together, those of all kinds cost a tenth of a second."""
        kind = self.kind
        return Decoder(kind.type) if issubclass(kind.type, CustomObject) else msgspec.json.Decoder(kind.type)

    def keep(self, entry: Entry) -> None:
        """Notes that an entry is parsed; the one parsed longest ago may have to forget its object for it."""
        self._parsed.append(entry)
        if len(self._parsed) > _PARSED_MAX:
            self._parsed.popleft().forget()

    def encode(self, obj: ApiObject) -> bytes:
        """The bytes to store: all but the resourceVersion."""
        obj.metadata.resource_version = None
        forget_empty(obj)
        value = encode(obj)
        assert value.startswith(self.head + _METADATA), value[:80]
        return value


class Common:
    """What the entries of many objects share: labels, and all selectable fields but the name's and the namespace's."""

    __slots__ = ("fields", "labels")

    def __init__(self, labels: Mapping[str, str], fields: Mapping[str, str]) -> None:
        self.labels = labels
        self.fields = fields


class Entry:
    """An object at one revision (0: a dry run's result). Shared by everyone who reads: nothing in it may be changed."""

    __slots__ = ("_common", "_fields", "_labels", "_object", "form", "name", "namespace", "revision", "value")

    def __init__(self, form: Form, item: KeyValue, known: ApiObject | Common | None = None) -> None:
        """`known` is what need not be read from the bytes: the parsed object, or what it has in common with others."""
        self.form = form
        self.value = item.value if form.restored is None or known is not None else form.restored(item.value)
        self.revision = item.revision
        *_root, self.namespace, self.name = item.key.split("/")
        if not form.kind.namespaced:
            self.namespace = ""
        self._fields: Mapping[str, str] | None = None
        self._labels: Mapping[str, str] | None = None
        self._common: Common | None = None
        self._object: ApiObject | None = None
        if isinstance(known, Common):
            self._common = known
        elif known is not None:
            self._object = known
            form.keep(self)
            known.metadata.resource_version = str(item.revision) if item.revision else None
            if isinstance(known, CustomObject):
                # Whoever wrote it, it is of the stored version from now on.
                known.spoken = None

    @property
    def object(self) -> ApiObject:
        """The parsed object."""
        if self._object is None:
            self._object = self.private()
            self.form.keep(self)
        return self._object

    def forget(self) -> None:
        """Gives the parsed object back to the memory; it can be read again."""
        self._object = self._fields = None

    @property
    def labels(self) -> Mapping[str, str]:
        if self._labels is None:
            if self._common is not None:
                return self._common.labels
            if self._object is not None:
                return self._object.metadata.labels
            self._labels = _labels_decoder.decode(self.value).metadata.labels
        return self._labels

    @property
    def fields(self) -> Mapping[str, str]:
        """What field selectors see."""
        if self._fields is not None:
            return self._fields
        common = self._common
        fields = common.fields if common is not None else self.form.strategy.fields(self.object)
        own = {"metadata.name": self.name, **fields}
        if self.form.kind.namespaced:
            own["metadata.namespace"] = self.namespace
        if common is None:
            # Else they are quickly made again, and nobody would come to take them from the memory.
            self._fields = own
        return own

    def at(self, revision: int) -> Entry:
        """The same state at another revision: what a watch shows of an object that has left its selection."""
        return Entry(self.form, KeyValue(f"/{self.namespace}/{self.name}", self.value, revision, revision))

    def private(self) -> ApiObject:
        """A parsed copy of its own that the caller may change."""
        obj: ApiObject = self.form.decoder.decode(self.value)
        obj.metadata.resource_version = str(self.revision) if self.revision else None
        return obj

    def body(self) -> bytes:
        """The JSON from `"metadata"` on: an object without its opening brace, kind and apiVersion, as lists need it."""
        if not self.revision:
            return self.value[len(self.form.head) :]
        return b'"metadata":{"resourceVersion":"%d",%b' % (self.revision, self.value[self.form.rest :])

    def pieces(self) -> tuple[bytes, memoryview]:
        """What `body` joins, for those who join more."""
        value = memoryview(self.value)
        if not self.revision:
            return b"", value[len(self.form.head) :]
        return b'"metadata":{"resourceVersion":"%d",' % self.revision, value[self.form.rest :]

    def encoded(self) -> bytes:
        """The whole object as JSON."""
        return b"".join((self.form.head, *self.pieces()))
