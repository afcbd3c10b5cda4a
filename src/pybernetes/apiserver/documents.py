"""Answers for paths that are no resources: health, version, discovery."""

from __future__ import annotations

from pybernetes.api.wire import Response
from pybernetes.apiserver.request import Authenticated
from pybernetes.apiserver.stages.service_account_tokens import TokenIssuer
from pybernetes.environment.clock import Clock


class ApiDocuments:
    """The documents that the pipeline serves."""

    def __init__(self, issuer: TokenIssuer, clock: Clock) -> None:
        self._issuer = issuer
        self._clock = clock

    async def answer(self, asked: Authenticated) -> Response | None:
        """The document of a path; None when it has none."""
        if asked.info.path in ("/healthz", "/livez", "/readyz"):
            return Response(200, {"content-type": "text/plain; charset=utf-8"}, b"ok")
        return None
