"""The journal of a class and the decisions of people, in one SQLite file.

A submission is known by its key: what the problem is, what it was graded with, and its bytes.  `attempt` is written
before a submission is graded and `verdict` after, each in its own transaction, so that a run killed anywhere leaves
either a verdict or a counted attempt.  Several processes may use one file at a time (WAL, waiting for locks).
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from grader.model import Decision

MOST_ATTEMPTS = 3  # without a verdict; after that a submission is ours to explain and not tried again
LOCK_SECONDS = 30.0
LAYOUT = 1  # of the tables; a file of another layout is refused

TABLES = """
CREATE TABLE IF NOT EXISTS attempt (
  key TEXT NOT NULL, n INTEGER NOT NULL, cause TEXT NOT NULL DEFAULT '', PRIMARY KEY (key, n)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS verdict (
  key TEXT PRIMARY KEY, report TEXT NOT NULL, share TEXT NOT NULL, seconds REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS member (
  student TEXT PRIMARY KEY, key TEXT NOT NULL, place INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS decision (
  student TEXT NOT NULL, item TEXT NOT NULL, points TEXT NOT NULL, reason TEXT NOT NULL, person TEXT NOT NULL,
  PRIMARY KEY (student, item)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


class StoreError(Exception):
    """The journal cannot be used: no SQLite file, another layout, a read-only place."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the journal keeps of one graded submission.

    `report` is the complete report as JSON, without decisions.  `share` is the part of the points that lateness takes.
    `seconds` is how long it took; it reaches no report.
    """

    key: str
    report: str
    share: Fraction = Fraction(0)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Member:
    """A student of the class and the submission that counts for him."""

    student: str
    key: str


def make_key(problem: str, seed: str, environment: str, submission: str, isolation: str) -> str:
    """The key of a submission: SHA-256 over the digests of all that a verdict rests on."""
    parts = (problem, seed, environment, submission, isolation)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


class Store:
    """One journal.  Every method is one transaction; `with Store(path) as store` closes it."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        if not create and not path.is_file():
            raise StoreError(f"{path}: there is no journal here.  Is this the --out folder of `grader batch`?")
        self._path = path
        try:
            self._connection = sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._prepare()
        except sqlite3.Error as trouble:
            raise StoreError(f"{path}: this is no journal that can be used ({trouble}).") from trouble

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def _prepare(self) -> None:
        layout = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if layout not in (0, LAYOUT):
            raise StoreError(f"{self._path}: journal of layout {layout}; this program reads layout {LAYOUT}.")
        if layout == 0:
            with self._transaction():
                for statement in TABLES.split(";"):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {LAYOUT}")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    # Attempts and verdicts

    def begin(self, key: str) -> int:
        """Count an attempt at a submission before it is graded.  Result: which attempt this is, from 1."""
        with self._transaction() as connection:
            found = connection.execute("SELECT COALESCE(MAX(n), 0) + 1 FROM attempt WHERE key = ?", (key,)).fetchone()
            connection.execute("INSERT INTO attempt (key, n) VALUES (?, ?)", (key, found[0]))
        return int(found[0])

    def withdraw(self, key: str) -> None:
        """Take back the last attempt: the run was stopped from outside and the submission is not to blame."""
        with self._transaction() as connection:
            connection.execute(
                "DELETE FROM attempt WHERE key = ? AND n = (SELECT MAX(n) FROM attempt WHERE key = ?)", (key, key)
            )

    def blame(self, key: str, cause: str) -> None:
        """Write down how the last attempt ended without a verdict."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE attempt SET cause = ? WHERE key = ? AND n = (SELECT MAX(n) FROM attempt WHERE key = ?)",
                (cause, key, key),
            )

    def attempts(self, key: str) -> int:
        """How often grading was begun."""
        return int(self._connection.execute("SELECT COUNT(*) FROM attempt WHERE key = ?", (key,)).fetchone()[0])

    def causes(self, key: str) -> tuple[str, ...]:
        """How the attempts ended, as far as it was seen; "" where the whole run ended with it."""
        rows = self._connection.execute("SELECT cause FROM attempt WHERE key = ? ORDER BY n", (key,))
        return tuple(row[0] for row in rows)

    def finish(self, verdict: Verdict) -> None:
        """Keep a verdict.  The first one for a key stays: a verdict is a function of its key."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO verdict (key, report, share, seconds) VALUES (?, ?, ?, ?)",
                (verdict.key, verdict.report, str(verdict.share), verdict.seconds),
            )

    def merge(self, other: Path) -> int:
        """Take over the verdicts and decisions of another journal; ours stay.  Result: how many verdicts were new."""
        with Store(other, create=False) as theirs:
            verdicts = theirs._connection.execute("SELECT key, report, share, seconds FROM verdict").fetchall()
            decisions = theirs.decisions()
        with self._transaction() as connection:
            before = connection.total_changes
            connection.executemany("INSERT OR IGNORE INTO verdict VALUES (?, ?, ?, ?)", verdicts)
            added = connection.total_changes - before
        ours = {(d.student, d.item) for d in self.decisions()}
        self.decide(d for d in decisions if (d.student, d.item) not in ours)
        return added

    def forget(self, keys: Iterable[str]) -> None:
        """Drop verdicts and attempts, so that the submissions are graded anew."""
        with self._transaction() as connection:
            for key in keys:
                connection.execute("DELETE FROM verdict WHERE key = ?", (key,))
                connection.execute("DELETE FROM attempt WHERE key = ?", (key,))

    def verdict(self, key: str) -> Verdict | None:
        row = self._connection.execute(
            "SELECT key, report, share, seconds FROM verdict WHERE key = ?", (key,)
        ).fetchone()
        return None if row is None else Verdict(row[0], row[1], Fraction(row[2]), row[3])

    # The class

    def set_members(self, members: Iterable[Member]) -> None:
        """Which submission counts for whom, in the order of the class; replaces what was."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM member")
            connection.executemany(
                "INSERT INTO member (student, key, place) VALUES (?, ?, ?)",
                [(member.student, member.key, place) for place, member in enumerate(members)],
            )

    def members(self) -> tuple[Member, ...]:
        rows = self._connection.execute("SELECT student, key FROM member ORDER BY place")
        return tuple(Member(*row) for row in rows)

    def class_verdicts(self) -> tuple[tuple[str, Verdict], ...]:
        """Every student of the class with the verdict that counts, in the order of the class."""
        rows = self._connection.execute(
            "SELECT m.student, v.key, v.report, v.share, v.seconds"
            " FROM member m JOIN verdict v USING (key) ORDER BY m.place"
        )
        return tuple((row[0], Verdict(row[1], row[2], Fraction(row[3]), row[4])) for row in rows)

    # Decisions

    def decide(self, decisions: Iterable[Decision]) -> None:
        """Keep people's decisions; a later one for the same student and item replaces the earlier."""
        with self._transaction() as connection:
            connection.executemany(
                "INSERT INTO decision (student, item, points, reason, person) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (student, item) DO UPDATE"
                " SET points = excluded.points, reason = excluded.reason, person = excluded.person",
                [(d.student, d.item, str(d.points), d.reason, d.by) for d in decisions],
            )

    def undecide(self, student: str, item: str) -> None:
        """Take a decision back; the program's verdict counts again."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM decision WHERE student = ? AND item = ?", (student, item))

    def decisions(self) -> tuple[Decision, ...]:
        rows = self._connection.execute(
            "SELECT student, item, points, reason, person FROM decision ORDER BY student, item"
        )
        return tuple(Decision(row[0], row[1], Fraction(row[2]), row[3], row[4]) for row in rows)

    # Settings: what the class was graded with, so that it can be written again

    def set_setting(self, name: str, value: str) -> None:
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", (name, value))

    def setting(self, name: str, default: str = "") -> str:
        row = self._connection.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return default if row is None else str(row[0])
