"""The custom resources that several scenarios speak of; they are there before what others set up."""

from __future__ import annotations

from tests.oracle.ground import Ground
from tests.oracle.setup.preparing import BEFORE, COMPLETE, Prepare, before


def with_widgets() -> None:
    """The scenarios that speak of the custom resources defined in `defaults/apiextensions.*`."""
    scenarios = ("errors/custom-resource", "errors/auth", "errors/fieldvalidation", "patch/apply-custom", *COMPLETE)
    for scenario in (*scenarios, "defaults/example.gadgets", "defaults/example.widgets"):
        others = BEFORE.get((scenario, 0))

        @before(scenario)
        async def prepare(ground: Ground, others: Prepare | None = others) -> None:
            await ground.replay_creates("defaults/apiextensions.*")
            if others is not None:
                await others(ground)
