"""Bodies of lists that are asked for again before anything has changed: many clients poll, or begin with the same list.

`reads` asks by question and revision, and notes what it has worked out. Only what is asked for twice is kept, and all
is forgotten with the next revision.
"""

from __future__ import annotations

from collections.abc import Hashable

from pybernetes.api.kind import Kind
from pybernetes.api.objects import CustomObject
from pybernetes.api.wire import Request
from pybernetes.apiserver.negotiation import Accepted

KEPT_BYTES_MAX = 16 * 1024 * 1024
_QUESTIONS_MAX = 1000
_QUESTION_LENGTH_MAX = 1000


def question_of(request: Request, kind: Kind, accepted: Accepted) -> Hashable | None:
    """Equal for lists with the same answer at one revision; None where the answer depends on more. Pure."""
    if accepted.form != "object" or accepted.media == "yaml" or accepted.pretty or issubclass(kind.type, CustomObject):
        return None
    for name, value in request.query:
        # Whether the past can still be read is no matter of the revision.
        if name == "continue" or (name == "resourceVersion" and value not in ("", "0")):
            return None
    length = len(request.path) + sum(len(name) + len(value) for name, value in request.query)
    return (request.path, request.query, accepted.media) if length <= _QUESTION_LENGTH_MAX else None


class KnownLists:
    """The bodies of one revision."""

    def __init__(self) -> None:
        self._revision = 0
        # None: asked once.
        self._bodies: dict[Hashable, bytes | None] = {}
        self._bytes = 0

    def body(self, question: Hashable, revision: int) -> bytes | None:
        """The answer, if it is known."""
        return self._bodies.get(question) if revision == self._revision else None

    def is_asked(self, question: Hashable, revision: int) -> bool:
        """Whether the question was asked before at this revision, so that its answer is worth keeping."""
        return revision == self._revision and question in self._bodies

    def note(self, question: Hashable, revision: int, body: bytes) -> None:
        """Keeps an answer that was worked out, if it was for the second time."""
        if revision < self._revision:
            # It took longer than the next change.
            return
        if revision != self._revision:
            self._revision, self._bodies, self._bytes = revision, {}, 0
        if question not in self._bodies:
            if len(self._bodies) < _QUESTIONS_MAX:
                self._bodies[question] = None
        elif self._bodies[question] is None and self._bytes + len(body) <= KEPT_BYTES_MAX:
            self._bodies[question] = body
            self._bytes += len(body)
