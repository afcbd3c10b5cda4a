"""The step of the rolling update: another image while a client keeps asking, and no request fails."""

from __future__ import annotations

import threading
from collections import Counter

from pybernetes.walkthrough.steps import NODE_PORT
from pybernetes.walkthrough.walk import Walk, fetch

_NEXT_TAG = "1.9.1"


class Requests:
    """A client that asks without a pause through one node's NodePort, and counts."""

    def __init__(self, url: str) -> None:
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self._url = url
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Requests:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(0.01):
            try:
                page = fetch(self._url)
            except OSError as error:
                self.failures.append(str(error))
            else:
                self.answers[version_of(page)] += 1


def version_of(page: str) -> str:
    """The image tag that a page of the stand-in nginx names. Pure."""
    _, found, rest = page.partition("nginx:")
    return rest.split("<")[0].split()[0].rstrip(".,") if found else "unknown"


def rolling_update(walk: Walk) -> None:
    """`set image`, `rollout status`, `rollout history`, `rollout undo`, under a steady stream of requests."""
    # Pods that are asked to end stay for two seconds, as any pod behind a service should, until all nodes know of it.
    walk.show("patch", "deployment", "nginx-deployment", "-p", _PATIENT_END)
    walk.show("rollout", "status", "deployment/nginx-deployment", "--timeout=90s")
    address = next(iter(walk.place.host_addresses.values()))
    with Requests(f"http://{address}:{NODE_PORT}/") as requests:
        walk.show("set", "image", "deployment/nginx-deployment", f"nginx=nginx:{_NEXT_TAG}")
        walk.show("rollout", "status", "deployment/nginx-deployment", "--timeout=90s")
        walk.wait("the new version answers", lambda: requests.answers[_NEXT_TAG] > 0)
        walk.show("rollout", "history", "deployment/nginx-deployment")
        walk.show("rollout", "undo", "deployment/nginx-deployment")
        walk.show("rollout", "status", "deployment/nginx-deployment", "--timeout=90s")
    for version, count in requests.answers.items():
        walk.say(f"  {count} answers from nginx:{version}")
    walk.check(not requests.failures, f"no request failed {requests.failures[:3] or ''}".rstrip())


_PATIENT_END = (
    '{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":10,"containers":[{"name":"nginx","lifecycle":'
    '{"preStop":{"exec":{"command":["sleep","2"]}}}}]}}}}'
)
