"""The set-up of `discovery/` and `openapi/`: tags and hashes are those of our documents."""

from __future__ import annotations

from tests.oracle.ground import Ground
from tests.oracle.setup.preparing import before


@before("discovery/aggregated", 2)
async def _current_tag(ground: Ground) -> None:
    step = ground.steps[2]
    response = await ground.send("GET", step.request["path"], accept=step.request["headers"]["Accept"])
    step.request["headers"]["If-None-Match"] = response.headers["etag"]


@before("openapi/v3-index", 3)
async def _right_hash(ground: Ground) -> None:
    index = await ground.call("GET", "/openapi/v3")
    url = index["paths"]["api/v1"]["serverRelativeURL"]
    ground.bind("<hash>", url.partition("hash=")[2])
