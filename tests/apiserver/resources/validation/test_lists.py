"""Lists as wholes, however long they are."""

from __future__ import annotations

from pybernetes.api.types.core_v1 import ResourceClaim
from pybernetes.api.types.meta_v1 import ObjectMeta, OwnerReference
from pybernetes.apiserver.owner_references import drop_repeated
from pybernetes.apiserver.resources.validation.containers import validate_claim_names
from pybernetes.apiserver.resources.validation.lists import no_twins, repeated

MANY = 20_000


def test_what_has_stood_before_is_found() -> None:
    assert repeated(["a", "b", "a", "a", ("b",)]) == {2, 3}
    assert [str(error) for error in no_twins(["a", "b", "a"], "spec.l", ".n")] == ['spec.l[2].n: Duplicate value: "a"']
    assert repeated([*range(MANY), 0]) == {MANY}


def test_owners_stay_in_their_order() -> None:
    owners = [OwnerReference(name=f"o{number}", uid=str(number)) for number in range(MANY)]
    metadata = ObjectMeta(owner_references=[*owners, OwnerReference(name="o1", uid="1"), *owners[:1]])
    told: list[str] = []
    drop_repeated(metadata, told.append)
    assert metadata.owner_references == owners
    assert [text.endswith("observed: 1, 0") for text in told] == [True]


def test_claims_of_a_container() -> None:
    claims = [ResourceClaim(name="a", request=f"r{number}") for number in range(MANY)]
    assert validate_claim_names(claims, frozenset(["a"]), "c") == []
    whole = [*claims[:2], ResourceClaim(name="a"), ResourceClaim(name="a"), ResourceClaim(name="b")]
    assert [str(error) for error in validate_claim_names(whole, frozenset(["a"]), "c")] == [
        'c[2]: Duplicate value: "a"',
        'c[2]: Duplicate value: "a"',
        'c[3]: Duplicate value: "a"',
        'c[4]: Not found: "b": must be one of the names in pod.spec.resourceClaims: a',
    ]
