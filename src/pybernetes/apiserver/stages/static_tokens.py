"""Static tokens: the lines of `--token-auth-file`, `token,user,uid,"group1,group2"`.

The text of the file goes in; a dictionary from token to user comes out. Read once, when the API server starts.
"""

from __future__ import annotations

import csv
import io

from pybernetes.apiserver.request import UserInfo

AUTHENTICATED = "system:authenticated"


def parse_token_file(text: str) -> dict[str, UserInfo]:
    """Users by token, the first of two equal ones; ValueError names a line that has fewer than three columns."""
    users: dict[str, UserInfo] = {}
    for number, row in enumerate(csv.reader(io.StringIO(text), skipinitialspace=True), start=1):
        if not row or row[0].startswith("#"):
            continue
        if len(row) < 3 or not row[0]:
            raise ValueError(f"line {number} of the token file needs a token, a user name and a user uid")
        listed = row[3].split(",") if len(row) > 3 else []
        groups = tuple(group.strip() for group in listed if group.strip())
        users.setdefault(row[0], UserInfo(row[1], row[2], (*groups, AUTHENTICATED)))
    return users
