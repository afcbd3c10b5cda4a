"""What becomes of a create that differs from a known one in nothing but its name, without going the whole way again.

`commands` makes a `Wish` of a request; the writer asks `Moulds` for the `Mould` of it, and tells them what it created.
The invariant: what a mould casts is byte for byte what the whole way would have stored. Hence a wish's key holds all of
the request that the way depends on; a mould is good only while all that admission looked at stays as it
was; only creates that left nothing to say are remembered; and a mould is not used before it has foretold a create.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import msgspec

from pybernetes.api import schema
from pybernetes.api.objects import ApiObject
from pybernetes.api.strictness import likeness
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.bodies import WriteOptions
from pybernetes.apiserver.diagnostics.series import Repeats
from pybernetes.apiserver.entry import Common, Form
from pybernetes.apiserver.request import Authenticated, UserInfo
from pybernetes.apiserver.witness import LookedAt
from pybernetes.environment.chance import Chance

_JSON = ("application/json", "")
_BYTES_MAX = 8 * 1024 * 1024
_SEEN_MAX = 10_000
# A user of more letters is not remembered.
_USER_MAX = 2000
# What belongs into a gap; from `_DRAWN` on, the names that admission draws.
_NAME, _UID, _TIME, _DRAWN = range(4)


class _Metadata(msgspec.Struct):
    name: str | None = None


class _Named(msgspec.Struct):
    """A body as far as its name: read in a tenth of the time of the whole."""

    metadata: _Metadata


_named_decoder = msgspec.json.Decoder(_Named)


class Wish(NamedTuple):
    """A create of which only the name has been read; those of equal keys differ in nothing else."""

    key: tuple[bytes, type[ApiObject], str, WriteOptions, UserInfo]
    namespace: str
    name: str
    body: bytes


def wish_of(asked: Authenticated, options: WriteOptions, form: Form) -> Wish | None:
    """The wish of a create in JSON of a kind that repeats; None for all others."""
    kind, request = form.kind, asked.request
    if form.strategy.repeats is None or kind is not asked.info.kind or options.dry_run:
        return None
    if request.headers.get("content-type", "") not in _JSON:
        return None
    try:
        name = _named_decoder.decode(request.body).metadata.name or ""
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    mark = likeness(request.body, schema.definition_of(kind.type), name)
    if mark is None:
        return None
    namespace = asked.info.namespace
    return Wish((mark, kind.type, namespace, options, asked.user), namespace, name, request.body)


class Own(NamedTuple):
    """What each object has for itself: `drawn` are the names that admission drew for it."""

    name: str
    uid: str
    now: str
    drawn: Sequence[str] = ()


class Mould:
    """The encoding of a new object, with gaps for what is each one's own."""

    def __init__(self, pieces: list[bytes], gaps: list[tuple[int, int]], made: Made) -> None:
        """`gaps` are places among the pieces, each with what belongs there."""
        self.common = Common(made.obj.metadata.labels, made.form.strategy.fields(made.obj))
        self.generate_name = made.obj.metadata.generate_name or ""
        self.is_believed = False
        self._pieces = pieces
        self._gaps = gaps
        # To be counted up by whoever casts.
        self.repeats = made.repeats
        self._prefixes = [prefix for prefix, _name in made.admission.drawn]
        self._looked_at = list(made.looked_at.items())

    def __len__(self) -> int:
        return sum(map(len, self._pieces))

    @property
    def is_good(self) -> bool:
        """Whether admission would find all as it was."""
        return all(seen.generation == generation for seen, generation in self._looked_at)

    def draw(self, chance: Chance) -> list[str]:
        """The names that admission would draw for one more."""
        return [prefix + chance.suffix() for prefix in self._prefixes]

    def cast(self, own: Own) -> bytes:
        """What is stored of an object with this as its own."""
        texts = [own.name.encode(), own.uid.encode(), own.now.encode(), *[name.encode() for name in own.drawn]]
        pieces = self._pieces.copy()
        for place, what in self._gaps:
            pieces[place] = texts[what]
        return b"".join(pieces)


class Made(NamedTuple):
    """A create that went the whole way: what it was admitted as, what of the cluster was looked at, what came of it."""

    form: Form
    admission: AdmissionRequest
    looked_at: LookedAt
    obj: ApiObject
    value: bytes
    repeats: Repeats

    @property
    def own(self) -> Own:
        metadata = self.obj.metadata
        drawn = [name for _prefix, name in self.admission.drawn]
        return Own(metadata.name or "", metadata.uid or "", metadata.creation_timestamp or "", drawn)


class Moulds:
    """The moulds of a server. One is made when a wish comes for the second time, tried the third, then used."""

    def __init__(self) -> None:
        # None: what was foretold did not come true.
        self._moulds: dict[Hashable, Mould | None] = {}
        self._bytes = 0
        self._seen: set[int] = set()
        # Texts that no client can know, to find again in an encoding what was put there. Nobody sees them, so that they
        # need not come from a simulation's chance.
        chance = Chance()
        self._marks = Own(*(f"{what}-{chance.secret(16).hex()}" for what in ("name", "uid", "time")))

    def find(self, wish: Wish, form: Form) -> Mould | None:
        """The mould that casts what is wished for."""
        mould = self._moulds.get(wish.key)
        if mould is None or not mould.is_believed or not mould.is_good:
            return None
        return mould if not wish.name or _repeats(form, wish.name) else None

    def is_worth_learning(self, wish: Wish) -> bool:
        """Whether the writer should watch what is looked at, and call `learn`."""
        mark = hash(wish.key)
        if mark in self._seen:
            return self._moulds.get(wish.key, wish) is not None
        if len(self._seen) >= _SEEN_MAX:
            self._seen.clear()
        self._seen.add(mark)
        return False

    def learn(self, wish: Wish, made: Made) -> None:
        """Makes a mould of what has been created, or compares the one there is with it."""
        if any(entry.time != made.own.now for entry in made.obj.metadata.managed_fields):
            # Made while a second ended, or with a history of its own.
            return
        mould = self._moulds.get(wish.key)
        if mould is not None and mould.is_good:
            mould.is_believed = mould.cast(made.own) == made.value
            if not mould.is_believed:
                self._moulds[wish.key] = None
            return
        mould = mould_of(wish, made, self._marks)
        if mould is None or len(repr(wish.key[-1])) > _USER_MAX:
            return
        if self._bytes + len(mould) > _BYTES_MAX:
            self._moulds.clear()
            self._bytes = 0
        self._moulds[wish.key] = mould
        self._bytes += len(mould)


def _repeats(form: Form, name: str) -> bool:
    repeats = form.strategy.repeats
    return repeats is not None and repeats(name)


def mould_of(wish: Wish, made: Made, marks: Own) -> Mould | None:
    """The mould of a created object; None where there is something that another one would have to be told or given."""
    own, admission, metadata = made.own, made.admission, made.obj.metadata
    if admission.unique or admission.warnings or admission.audit or not _repeats(made.form, own.name):
        return None
    if wish.name != own.name and (wish.name or not metadata.generate_name):
        return None
    text = made.form.encode(_marked(made.obj, marks))
    found = {marks.name.encode(): _NAME, marks.uid.encode(): _UID, marks.now.encode(): _TIME}
    found |= {name.encode(): _DRAWN + number for number, name in enumerate(own.drawn)}
    pieces = re.split(b"(%b)" % b"|".join(map(re.escape, found)), text)
    gaps = [(place, found[piece]) for place, piece in enumerate(pieces) if piece in found]
    # What is somewhere else as well would be repeated there.
    rest = b"\n".join(piece for piece in pieces if piece not in found)
    if own.uid.encode() in rest or own.now.encode() in rest or any(name.encode() in wish.body for name in own.drawn):
        return None
    return Mould(pieces, gaps, made)


def _marked(obj: ApiObject, marks: Own) -> ApiObject:
    """The object with marks for what is its own."""
    replace, metadata = msgspec.structs.replace, obj.metadata
    managed = [replace(entry, time=marks.now) for entry in metadata.managed_fields]
    own = {"name": marks.name, "uid": marks.uid, "creation_timestamp": marks.now, "managed_fields": managed}
    return replace(obj, metadata=replace(metadata, **own))
