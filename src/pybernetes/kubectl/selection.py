"""What the arguments of a verb mean: `pods`, `pod a b`, `po,svc`, `pod/a svc/b` or `all` become `Target`s.

Used by every verb that names objects. `resolve` asks the session only for resources that are not built in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pybernetes.kubectl.failures import CommandError, error
from pybernetes.kubectl.resources import Resource
from pybernetes.kubectl.session import Session

_MIXED = (
    "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form "
    "(e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'"
)


@dataclass(frozen=True)
class Target:
    """A resource and the name of one object, or no name for all of them."""

    resource: Resource
    name: str = ""


def words_and_names(arguments: Sequence[str]) -> list[tuple[str, str]]:
    """The (resource word, name) pairs of arguments; the name is empty for all. `CommandError` when they do not fit."""
    if not arguments:
        return []
    if any("/" in argument for argument in arguments):
        if not all("/" in argument for argument in arguments):
            raise error(_MIXED)
        pairs = [argument.partition("/")[::2] for argument in arguments]
        if not all(word and name and "/" not in name for word, name in pairs):
            raise error("arguments in resource/name form must have a single resource and name")
        return [(word, name) for words, name in pairs for word in words.split(",")]
    words = [word for word in arguments[0].split(",") if word]
    return [(word, name) for word in words for name in (arguments[1:] or ("",))]


async def resolve(session: Session, arguments: Sequence[str]) -> list[Target]:
    """The targets of arguments, in their order."""
    targets = []
    for word, name in words_and_names(arguments):
        resource = await session.find(word)
        if resource is not None:
            targets.append(Target(resource, name))
            continue
        members = (await session.catalog()).category(word)
        if not members:
            raise error(f'the server doesn\'t have a resource type "{word.partition(".")[0]}"')
        targets += [Target(member, name) for member in members if "list" in member.verbs]
    return targets


async def named(session: Session, arguments: Sequence[str], verb: str) -> list[Target]:
    """Targets that must have names, as verbs that change objects want them."""
    targets = await resolve(session, arguments)
    if not targets:
        raise CommandError(f"error: you must specify the type of resource to {verb}" if verb else "error: no resource")
    if not all(target.name for target in targets):
        raise error("resource(s) were provided, but no name was specified")
    return targets


async def workload(session: Session, word: str, default: str = "pods") -> Target:
    """The one object that `logs`, `exec` and others take: `NAME`, `TYPE/NAME`."""
    kind, slash, name = word.partition("/")
    if not slash:
        return Target(await session.resource(default), word)
    return Target(await session.resource(kind), name)
