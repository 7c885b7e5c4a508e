"""The journal counts attempts, keeps verdicts and people's decisions, and serves several processes at once."""

from __future__ import annotations

import multiprocessing
from fractions import Fraction
from pathlib import Path

import pytest

from grader.model import Decision
from grader.store import Member, Store, StoreError, Verdict, make_key


def count_up(path: str, times: int) -> None:
    with Store(Path(path)) as store:
        for number in range(times):
            store.begin("shared")
            store.finish(Verdict(f"{multiprocessing.current_process().pid}-{number}", "{}"))


def test_attempts_are_counted_blamed_and_withdrawn(tmp_path: Path) -> None:
    with Store(tmp_path / "j.sqlite") as store:
        assert [store.begin("k") for _ in range(2)] == [1, 2]
        store.blame("k", "worker ended: signal SIGKILL")
        assert store.causes("k") == ("", "worker ended: signal SIGKILL")
        store.withdraw("k")
        assert store.attempts("k") == 1
        assert store.begin("k") == 2


def test_the_first_verdict_of_a_key_stays(tmp_path: Path) -> None:
    with Store(tmp_path / "j.sqlite") as store:
        store.finish(Verdict("k", "one", Fraction(1, 10), 0.5))
        store.finish(Verdict("k", "two"))
        assert store.verdict("k") == Verdict("k", "one", Fraction(1, 10), 0.5)
        assert store.verdict("other") is None
        store.forget(["k"])
        assert store.verdict("k") is None


def test_the_class_keeps_its_order(tmp_path: Path) -> None:
    with Store(tmp_path / "j.sqlite") as store:
        for name in "zab":
            store.finish(Verdict(f"key-{name}", name))
        store.set_members([Member(name, f"key-{name}") for name in "zab"] + [Member("later", "no verdict yet")])
        assert [student for student, _ in store.class_verdicts()] == ["z", "a", "b"]
        store.set_members([Member("a", "key-a")])
        assert store.members() == (Member("a", "key-a"),)


def test_a_decision_is_replaced_only_by_a_decision(tmp_path: Path) -> None:
    with Store(tmp_path / "j.sqlite") as store:
        store.decide([Decision("s", "1a", Fraction(3, 2), "close", "kb")])
        store.finish(Verdict("k", "{}"))
        store.forget(["k"])
        assert store.decisions() == (Decision("s", "1a", Fraction(3, 2), "close", "kb"),)
        store.decide([Decision("s", "1a", Fraction(2), "right after all", "kb")])
        assert store.decisions()[0].points == 2
        store.undecide("s", "1a")
        assert store.decisions() == ()


def test_several_processes_write_one_journal(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=count_up, args=(str(path), 20)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    with Store(path) as store:
        assert store.attempts("shared") == 60


def test_what_is_no_journal_is_refused_with_a_reason(tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("these are notes, and long enough to be no database " * 40)
    with pytest.raises(StoreError, match="no journal that can be used"):
        Store(other)
    with pytest.raises(StoreError, match="no journal here"):
        Store(tmp_path / "missing.sqlite", create=False)


def test_the_key_depends_on_each_of_its_parts() -> None:
    parts = ["problem", "seed", "environment", "submission", "isolation"]
    keys = {make_key(*parts)}
    for place in range(len(parts)):
        keys.add(make_key(*(part + ("!" if k == place else "") for k, part in enumerate(parts))))
    assert len(keys) == 6
