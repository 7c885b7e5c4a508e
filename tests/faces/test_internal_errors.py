"""Our own trouble is one line and exit code 3, never a traceback and never somebody's wrong answer."""

from __future__ import annotations

import pytest

from grader import cli
from grader.cli import doctor


def test_an_internal_error_is_one_line_and_exit_code_three(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("out of cheese")

    monkeypatch.setattr(doctor.command, "callback", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main(["doctor"])
    assert ended.value.code == cli.EXIT_INTERNAL
    told = capsys.readouterr().err
    assert "out of cheese" in told
    assert "Traceback" not in told
