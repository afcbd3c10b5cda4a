"""Steps whose answer differs from the recorded one, each with its reason. The list only shrinks."""

from __future__ import annotations

_WEBHOOKS = "webhooks are a later step"
_VERSION = "says which program answers: ours is no Go binary"
_GO_ORDER = "follows the order of a Go map or list cache"
_GO_DUMP = "tells an empty map of a client from none"
_TWICE = "labels that the server adds to a new Job are looked at in one more place"
_QUOTA = "managers stand in the order of the seconds in which they wrote, and the recorded steps took less than one"
_FAIRNESS = "conditions and managers of priority and fairness are a later step"
_CHANCE = "hangs on what ran at the same time: two controllers, and names drawn by chance"
_BUILD = "counts roles, or shows rights, of the recorded build's distribution"
_NORMALISED = "the recording replaced a text that is no value of the server (10.96.0.0, ?hash=)"
_LEFTOVER = "shows what former scenarios had left behind"
_ADDRESSES = "shows addresses drawn by chance, and ages that the recording kept"
_DESCRIPTION = "the description of a column has list items, which the package of descriptions joins"
_STARTING = "the recorded server was still preparing the storage of a new resource"
_KEY = "the recorded key of service accounts was an RSA key"
_SERVER_WRITES = "the original writes as kube-apiserver, and says so in managedFields"


def _steps(reason: str, *numbers: int) -> dict[int, str]:
    return dict.fromkeys(numbers, reason)


ACCEPTED: dict[str, dict[int, str]] = {
    "admission/limitranger": _steps(_GO_ORDER, 8),
    "admission/resourcequota": _steps(_QUOTA, 9, 24, 26, 34),
    "admission/webhooks": _steps(_WEBHOOKS, 0, 1, 4, 5, 9),
    "defaults/authorization.reviews": {**_steps(_GO_ORDER, 7), **_steps(_BUILD, 16, 17)},
    "defaults/flowcontrol.flowschemas": _steps(_FAIRNESS, 2, 4),
    "delete/propagation": _steps(_CHANCE, 2, 6, 7, 8, 11, 13, 17),
    "discovery/health": {**_steps(_VERSION, 0, 1, 19), **_steps(_KEY, 18)},
    "errors/auth": _steps(_VERSION, 24, 75),
    "errors/custom-resource": _steps(_GO_ORDER, 27),
    "errors/job": _steps(_TWICE, 20),
    "errors/pv": _steps(_GO_DUMP, 3),
    "list-watch/tables": {
        **_steps(_DESCRIPTION, 66, 67),
        **_steps(_ADDRESSES, 72),
        **_steps(_SERVER_WRITES, 83),
        **_steps(_BUILD, 80, 82),
        **_steps(_FAIRNESS, 129, 130, 132),
        **_steps(_STARTING, 133, 134, 142),
        **_steps(_LEFTOVER, 141),
    },
    "openapi/v3-index": _steps(_NORMALISED, 2),
}


def accepted_of(scenario: str) -> dict[int, str]:
    """The accepted steps of a scenario, by number."""
    return ACCEPTED.get(scenario, {})
