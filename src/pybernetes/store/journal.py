"""The file: revisions in a SQLite database with a write-ahead log. Called from one thread at a time, never the loop's.

In flows a `Commit` (rows, what compaction removes), durable when `commit` returns; out flows, at the start, a `Loaded`.
The database stays locked for as long as it is open, so a second process cannot open it.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pybernetes.store.errors import StoreError, StoreFailed, StoreFull, StoreLocked, StoreUncertain

logger = logging.getLogger(__name__)

Row = tuple[int, str, bytes | None, int, float | None]
"""revision, key, value (None: deleted), create revision, deadline of the lease in wall-clock seconds (None: none)."""

_APPLICATION = 0x50594253
_VERSION = 1
# One statement for many rows matters: SQLite lets go of Python's lock around each, and getting it back from a busy
# event loop takes up to a switch interval. They stay compiled: with all others fewer than sqlite3 keeps.
_ROWS_PER_STATEMENT = 64
_NOT_WRITTEN = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE)
_DELETE = "DELETE FROM changes WHERE revision IN (SELECT value FROM json_each(?))"
_SCHEMA = f"""
BEGIN;
CREATE TABLE changes (
    revision INTEGER PRIMARY KEY, key TEXT NOT NULL, value BLOB, created INTEGER NOT NULL, deadline REAL
);
CREATE TABLE state (compacted INTEGER NOT NULL, assigned INTEGER NOT NULL);
INSERT INTO state VALUES (0, 1);
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
COMMIT;
"""


@dataclass(slots=True)
class Commit:
    """What one transaction writes: rows in revision order, revisions to remove, the new compacted revision."""

    rows: list[Row] = field(default_factory=list)
    remove: list[int] = field(default_factory=list)
    compacted: int | None = None


@dataclass(slots=True)
class Loaded:
    """What the file holds: rows in revision order, those up to `compacted` being states and no events.

    `assigned` is the newest revision that may have been given to a write, whether or not it succeeded.
    """

    rows: list[Row]
    compacted: int
    assigned: int


class Journal:
    """An open file. `open` and `commit` raise `StoreError`s; after a failed `commit` nothing of it has happened, unless
    the disk leaves no way to make sure of that (`StoreUncertain`)."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._newest = 0
        self._assigned = 0
        self._doubtful = False

    @classmethod
    def open(cls, path: Path, quota_bytes: int | None = None) -> Journal:
        """Opens or creates the file, readable by its owner only. `quota_bytes` bounds the database, not its log.

        Raises `StoreLocked` when a process has it open and `StoreFailed` when it cannot be used.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise StoreFailed(f"cannot open the store {path}: {error}") from error
        try:
            _prepare(connection, path, quota_bytes)
        except StoreError:
            connection.close()
            raise
        except sqlite3.Error as error:
            connection.close()
            if _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise StoreLocked(f"the store {path} is in use by another process") from error
            raise StoreFailed(f"cannot open the store {path}: {error}") from error
        return cls(connection)

    def load(self) -> Loaded:
        """Reads everything; call once, before the first commit. Finishes a compaction that was cut short."""
        try:
            compacted, assigned = self._connection.execute("SELECT compacted, assigned FROM state").fetchone()
            rows: list[Row] = self._connection.execute("SELECT * FROM changes ORDER BY revision").fetchall()
            self._newest = rows[-1][0] if rows else 0
            self._assigned = max(assigned, compacted, self._newest)
            rows, garbage = _split_garbage(rows, compacted)
            if garbage:
                self._connection.execute(_DELETE, (json.dumps(garbage),))
                self._newest = rows[-1][0] if rows else 0
        except sqlite3.Error as error:
            raise _translated(error) from error
        return Loaded(rows, compacted, self._assigned)

    def commit(self, commit: Commit) -> None:
        """Makes all of it durable, or none of it and raises `StoreFull` or another `StoreFailed`."""
        if commit.rows:
            self._assigned = max(self._assigned, commit.rows[-1][0])
        try:
            if self._doubtful:
                self._make_certain()
        except sqlite3.Error as error:
            self._roll_back()
            raise _translated(error) from error
        try:
            self._execute(list(_statements(commit)))
        except sqlite3.Error as error:
            raise self._failed(error) from error
        if commit.rows:
            self._newest = commit.rows[-1][0]
        elif self._newest in commit.remove:
            self._newest = self._newest_on_disk()

    def close(self) -> None:
        """Folds the log into the database and lets go of the lock."""
        try:
            self._connection.close()
        except sqlite3.Error as error:
            logger.warning("Closing the store's file: %s", error)

    def _execute(self, statements: Sequence[tuple[str, Sequence[object]]]) -> None:
        execute = self._connection.execute
        if len(statements) == 1:
            # One statement is a transaction of its own; this saves two turns at Python's lock.
            execute(*statements[0])
            return
        execute("BEGIN IMMEDIATE")
        for statement, parameters in statements:
            execute(statement, parameters)
        execute("COMMIT")

    def _failed(self, error: sqlite3.Error) -> StoreFailed:
        """What a commit that failed amounts to, once it is sure not to come back."""
        self._doubtful = True
        self._roll_back()
        if getattr(error, "sqlite_errorcode", 0) in _NOT_WRITTEN:
            # The end of it could not be written, without which the log holds nothing that counts.
            return _translated(error)
        try:
            self._make_certain()
        except sqlite3.Error as still:
            self._roll_back()
            return StoreUncertain(f"it is not known whether the write is durable: {error}; then {still}")
        return _translated(error)

    def _make_certain(self) -> None:
        """After a failure: overwrites in the log whatever the failed commit may have left, so that it cannot come back.

        Also notes the revisions that the failed writes were given, so that they are not used again after a restart.
        """
        if self._newest_on_disk() != self._newest:
            raise sqlite3.OperationalError("the file does not hold what was committed; restart the store")
        self._connection.execute("UPDATE state SET assigned = ?", (self._assigned,))
        self._doubtful = False

    def _newest_on_disk(self) -> int:
        newest: int = self._connection.execute("SELECT ifnull(max(revision), 0) FROM changes").fetchone()[0]
        return newest

    def _roll_back(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            logger.warning("Rolling back after a failed commit: %s", error)


def _prepare(connection: sqlite3.Connection, path: Path, quota_bytes: int | None) -> None:
    """Takes the lock, replays the log and makes sure that the file is ours."""
    execute = connection.execute
    # With the lock held for good SQLite needs no shared memory beside the file, and looks for no other writers.
    execute("PRAGMA locking_mode = EXCLUSIVE")
    execute("PRAGMA journal_mode = WAL")
    execute("PRAGMA synchronous = FULL")
    execute("PRAGMA journal_size_limit = 16777216")
    execute("BEGIN EXCLUSIVE")
    execute("COMMIT")
    application, version, tables = execute(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)"
        " FROM pragma_application_id, pragma_user_version"
    ).fetchone()
    if tables == 0:
        connection.executescript(_SCHEMA)
    elif (application, version) != (_APPLICATION, _VERSION):
        raise StoreFailed(f"{path} is no store that this version can read")
    if quota_bytes is not None:
        page_size = execute("PRAGMA page_size").fetchone()[0]
        execute(f"PRAGMA max_page_count = {max(quota_bytes // page_size, 1)}")


@cache
def _insert(rows: int) -> str:
    return "INSERT INTO changes VALUES " + ",".join(["(?,?,?,?,?)"] * rows)


def _statements(commit: Commit) -> Iterator[tuple[str, Sequence[object]]]:
    for first in range(0, len(commit.rows), _ROWS_PER_STATEMENT):
        rows = commit.rows[first : first + _ROWS_PER_STATEMENT]
        yield _insert(len(rows)), [value for row in rows for value in row]
    if commit.remove:
        yield _DELETE, (json.dumps(commit.remove),)
    if commit.compacted is not None:
        yield "UPDATE state SET compacted = ?", (commit.compacted,)


def _split_garbage(rows: list[Row], compacted: int) -> tuple[list[Row], list[int]]:
    """The rows that matter, and the revisions up to `compacted` that a later one up to `compacted` replaced."""
    newest: dict[str, int] = {}
    for revision, key, *_ in rows:
        if revision > compacted:
            break
        newest[key] = revision
    kept = [row for row in rows if row[0] > compacted or (row[2] is not None and newest[row[1]] == row[0])]
    if len(kept) == len(rows):
        return rows, []
    alive = {row[0] for row in kept}
    return kept, [row[0] for row in rows if row[0] not in alive]


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _translated(error: sqlite3.Error) -> StoreFailed:
    kind = StoreFull if _code(error) == sqlite3.SQLITE_FULL else StoreFailed
    return kind(f"the write could not be made durable: {error}")
