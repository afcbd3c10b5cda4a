"""What a write uses of the quotas of its namespace. Pure: accounts and a write in, changed accounts or a refusal out.

Called by `resource_quota`, which reads the accounts from ResourceQuotas and writes them back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject
from pybernetes.api.quantity import canonical, compare
from pybernetes.api.quota import Amounts, growth, is_relevant, may_count, missing, total, usage
from pybernetes.api.status import StatusError
from pybernetes.api.struct import Quantity
from pybernetes.api.types.core_v1 import Pod, ResourceQuota
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import refusal


class Account(NamedTuple):
    """A quota while writes are charged to it: what may be used, and what is used so far."""

    quota: ResourceQuota
    hard: Mapping[str, Quantity]
    used: Amounts

    @property
    def name(self) -> str:
        return self.quota.metadata.name or ""


def charged(accounts: Sequence[Account], request: AdmissionRequest, now: datetime) -> list[Account]:
    """The accounts after a write; StatusError 403 when one of them does not allow it."""
    obj, old = request.object, request.old_object
    assert obj is not None
    new_usage = usage(obj, request.kind, now)
    before = usage(old, request.kind, now) if old is not None else {}
    concerned = [account for account in accounts if _is_concerned(account, obj, request.kind)]
    # What is not said at all is complained of before what is too much.
    for account in concerned:
        if isinstance(obj, Pod) and (lacking := missing(obj, account.hard)):
            raise refusal(request, f"failed quota: {account.name}: must specify {lacking}")
        if unknown := sorted(key for key in account.hard if key in new_usage and key not in account.used):
            raise refusal(request, f"status unknown for quota: {account.name}, resources: {','.join(unknown)}")
    result = list(accounts)
    for place, account in enumerate(accounts):
        if account in concerned:
            # What was outside of the quota's scopes comes in as a whole.
            known = before if old is not None and is_relevant(account.quota, old) else {}
            result[place] = _charged(account, growth(new_usage, known), request)
    return result


def _is_concerned(account: Account, obj: ApiObject, kind: Kind) -> bool:
    return may_count(kind, account.hard) and is_relevant(account.quota, obj)


def _charged(account: Account, wanted: Mapping[str, Quantity], request: AdmissionRequest) -> Account:
    asked = {key: amount for key, amount in wanted.items() if key in account.hard and compare(amount, 0) != 0}
    after = total({key: account.used[key] for key in asked}, asked)
    exceeded = sorted(key for key in asked if compare(after[key], account.hard[key]) > 0)
    if exceeded:
        raise _too_much(account, asked, exceeded, request)
    return account._replace(used=account.used | after) if asked else account


def _too_much(
    account: Account, asked: Mapping[str, Quantity], exceeded: Iterable[str], request: AdmissionRequest
) -> StatusError:
    parts = (("requested", asked), ("used", account.used), ("limited", account.hard))
    texts = [f"{label}: {','.join(f'{key}={canonical(amounts[key])}' for key in exceeded)}" for label, amounts in parts]
    return refusal(request, f"exceeded quota: {account.name}, {', '.join(texts)}")
