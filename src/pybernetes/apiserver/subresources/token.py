"""The token sub-resource of service accounts: TokenRequests."""

from __future__ import annotations

from dataclasses import replace

from pybernetes.api import status
from pybernetes.api.types.authentication_v1 import TokenRequest
from pybernetes.api.types.core_v1 import ServiceAccount
from pybernetes.api.wire import Response
from pybernetes.apiserver.bodies import place_in_namespace, read_object, write_options
from pybernetes.apiserver.commands import answer_object, intent_of
from pybernetes.apiserver.field_management.tracking import Updates
from pybernetes.apiserver.request import Authenticated
from pybernetes.apiserver.stages.service_account_tokens import DEFAULT_SECONDS, TokenIssuer
from pybernetes.apiserver.stages.token_requests import TOKEN_REQUEST, complete_request, request_token
from pybernetes.apiserver.writer import Writer


class TokenSubresource:
    """create of `serviceaccounts/<name>/token`."""

    def __init__(self, writer: Writer, issuer: TokenIssuer) -> None:
        self._writer = writer
        self._issuer = issuer

    async def create(self, asked: Authenticated) -> Response:
        """201 with the request and the token in its status."""
        options = write_options(asked.request)
        info, intent = asked.info, replace(intent_of(asked, options), part=TOKEN_REQUEST)
        assert info.kind is not None
        wanted = read_object(asked.request, TokenRequest, options.validation, intent.warnings.append)
        place_in_namespace(wanted, info.namespace)
        if wanted.spec.expiration_seconds is None:
            wanted.spec.expiration_seconds = DEFAULT_SECONDS
        tracker = Updates(TOKEN_REQUEST, options.field_manager, info.subresource)
        wanted.metadata.managed_fields = tracker.created(wanted, self._writer.now())
        validate = await self._writer.admit_answer(intent, wanted)
        account = self._writer.registry.get(ServiceAccount, info.name, info.namespace)
        if account is None:
            raise status.not_found(info.kind, info.name)
        complete_request(wanted, account, self._issuer)
        await validate()
        answered = request_token(wanted, account, self._issuer, self._writer.registry)
        return answer_object(asked.request, answered, intent.warnings, 201)
