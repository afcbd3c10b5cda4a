"""`kubectl auth`: who we are (`whoami`) and what we may do (`can-i`)."""

from __future__ import annotations

from typing import Any

from pybernetes.kubectl import output, printing
from pybernetes.kubectl.failures import CommandError, error
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.words import Flag, Words, switch

FLAGS = (*output.FLAGS, Flag("subresource"), switch("all-namespaces", "A"), switch("quiet", "q"), switch("list"))


async def run(session: Session, words: Words) -> int:
    """For `can-i` 0 means yes and 1 no."""
    action, *arguments = words.arguments or ("",)
    if action == "whoami":
        return await _whoami(session, words)
    if action == "can-i" and len(arguments) in (2, 3):
        return await _can_i(session, words, arguments)
    if action == "can-i":
        raise error("you must specify two arguments: verb resource or verb resource/resourceName.")
    raise CommandError(f"error: unknown command \"{action}\"\nSee 'kubectl auth -h' for help and examples")


async def _whoami(session: Session, words: Words) -> int:
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    review = await session.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body=body)
    if words.text("output"):
        session.out.write(output.printer(words)(review))
        return 0
    user = review["status"]["userInfo"]
    rows = [["ATTRIBUTE", "VALUE"], ["Username", user.get("username", "")]]
    rows += [["UID", user["uid"]]] if user.get("uid") else []
    rows += [["Groups", f"[{' '.join(user['groups'])}]"]] if user.get("groups") else []
    for key, values in sorted((user.get("extra") or {}).items()):
        rows.append([f"Extra: {key}", f"[{' '.join(values)}]"])
    session.out.write("".join(f"{line}\n" for line in printing.Columns().lines(rows)))
    return 0


async def _can_i(session: Session, words: Words, arguments: list[str]) -> int:
    spec = await _attributes(session, words, arguments)
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
    review = await session.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body=body)
    status = review["status"]
    reason = f" - {status['reason']}" if status.get("reason") and not status["allowed"] else ""
    if not words.on("quiet"):
        session.print("yes" if status["allowed"] else f"no{reason}")
    return 0 if status["allowed"] else 1


async def _attributes(session: Session, words: Words, arguments: list[str]) -> dict[str, Any]:
    verb, what = arguments[0], arguments[1]
    if what.startswith("/"):
        return {"nonResourceAttributes": {"verb": verb, "path": what}}
    word, _, name = what.partition("/")
    name = arguments[2] if len(arguments) == 3 else name
    resource = await session.find(word) if word != "*" else None
    if resource is None and word != "*":
        session.warn(f"Warning: the server doesn't have a resource type '{word}'\n")
    namespace = "" if words.on("all-namespaces") or (resource and not resource.namespaced) else session.namespace
    attributes = {
        "verb": verb,
        "resource": resource.plural if resource else word,
        "group": resource.group if resource else "*" if word == "*" else "",
        "namespace": namespace,
        "name": name,
        "subresource": words.text("subresource"),
    }
    return {"resourceAttributes": {key: value for key, value in attributes.items() if value}}
