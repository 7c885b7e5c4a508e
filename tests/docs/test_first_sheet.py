"""docs/first-sheet.md is walked from the first command to the last: every output is what the page says."""

from __future__ import annotations

from pathlib import Path

from tests.docs.walk import ROOT, blocks, walk

PAGE = ROOT / "docs" / "first-sheet.md"


def test_every_command_of_the_first_sheet_prints_what_the_page_says(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    count = 0
    for block, command, output in walk(text, tmp_path):
        assert output == command.output, f"line {block.line}: $ {command.line}"
        count += 1
    assert count >= 15


def test_every_block_of_the_first_sheet_is_a_file_or_commands() -> None:
    for block in blocks(PAGE.read_text(encoding="utf-8")):
        assert block.name or block.language == "console", f"line {block.line}"
