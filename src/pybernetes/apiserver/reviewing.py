"""The kinds that are questions and not things: access reviews and token reviews, answered and never stored."""

from __future__ import annotations

from pybernetes.api.kinds import kind_of
from pybernetes.api.objects import ApiObject
from pybernetes.api.types import authentication_v1, authorization_v1
from pybernetes.api.wire import Response
from pybernetes.apiserver.bodies import read_object, write_options
from pybernetes.apiserver.commands import answer_object, intent_of
from pybernetes.apiserver.field_management.tracking import Updates
from pybernetes.apiserver.pipeline import Answer
from pybernetes.apiserver.request import Authenticated
from pybernetes.apiserver.stages.authentication import Authenticator
from pybernetes.apiserver.stages.authorization import Authorizer
from pybernetes.apiserver.writer import Writer
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.apiserver.stages import reviews

_REVIEWS: tuple[type[ApiObject], ...] = (
    authorization_v1.SubjectAccessReview,
    authorization_v1.LocalSubjectAccessReview,
    authorization_v1.SelfSubjectAccessReview,
    authorization_v1.SelfSubjectRulesReview,
    authentication_v1.TokenReview,
    authentication_v1.SelfSubjectReview,
)


# Answered with an object of their own instead of the question.
_ANEW = (authorization_v1.SelfSubjectRulesReview, authentication_v1.SelfSubjectReview)


def review_answers(
    authorizer: Authorizer, authenticator: Authenticator, writer: Writer
) -> dict[tuple[str, str, str], Answer]:
    """What the pipeline does with each kind of review."""
    kinds = [kind_of(type_) for type_ in _REVIEWS]
    return {(kind.resource, "", "create"): _answer(kind.type, authorizer, authenticator, writer) for kind in kinds}


def _answer(type_: type[ApiObject], authorizer: Authorizer, authenticator: Authenticator, writer: Writer) -> Answer:
    kind, now = kind_of(type_), writer.now

    async def create(asked: Authenticated) -> Response:
        options = write_options(asked.request)
        intent = intent_of(asked, options)
        question = read_object(asked.request, type_, options.validation, intent.warnings.append)
        namespace = asked.info.namespace
        if namespace and not question.metadata.namespace:
            question.metadata.namespace = namespace
        entries = [] if type_ in _ANEW else Updates(kind, options.field_manager).created(question, now())
        question.metadata.managed_fields = entries
        validate = await writer.admit_answer(intent, question)
        await validate()
        answered = reviews.review(kind, question, asked.user, authorizer, authenticator, now())
        return answer_object(asked.request, answered, intent.warnings, 201)

    return create
