"""Pictures for a person: taken out of scans as they are, whatever else a file holds."""

from __future__ import annotations

import base64
import io
import zlib
from pathlib import Path

import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf.generic import DictionaryObject, NameObject, NumberObject, StreamObject

from grader.job import Setting, grade_entrant
from grader.model import Verdict
from grader.problems import load_problem
from grader.reading import Handin
from grader.reading.scans import MAX_BYTES, pictures
from grader.reporting import html
from grader.reporting.audience import for_student
from grader.roster import entrant_of

ROOT = Path(__file__).parents[2]
PROBLEM = ROOT / "problems" / "adl4p-ex05"
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(200)) + b"\xff\xd9"


def scan(filters: str, content: bytes, width: int, height: int, space: str, bits: int = 8, pages: int = 1) -> bytes:
    """A PDF whose pages hold one image each."""
    writer = pypdf.PdfWriter()
    for _ in range(pages):
        page = writer.add_blank_page(200, 200)
        image = StreamObject()
        image.set_data(content)
        image.update(
            {
                NameObject("/Type"): NameObject("/XObject"),
                NameObject("/Subtype"): NameObject("/Image"),
                NameObject("/Filter"): NameObject(filters),
                NameObject("/Width"): NumberObject(width),
                NameObject("/Height"): NumberObject(height),
                NameObject("/BitsPerComponent"): NumberObject(bits),
                NameObject("/ColorSpace"): NameObject(space),
            }
        )
        objects = DictionaryObject({NameObject("/Im0"): writer._add_object(image)})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/XObject"): objects})
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_a_photograph_is_taken_byte_for_byte() -> None:
    found = pictures(scan("/DCTDecode", JPEG, 10, 10, "/DeviceRGB", pages=3))
    assert [(one.media, one.data, one.page) for one in found] == [("image/jpeg", JPEG, n) for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("width", "height", "space", "bits", "line"),
    [(3, 2, "/DeviceRGB", 8, 9), (5, 2, "/DeviceGray", 8, 5), (10, 4, "/DeviceGray", 1, 2)],
)
def test_a_plain_image_becomes_a_png_with_the_same_samples(
    width: int, height: int, space: str, bits: int, line: int
) -> None:
    samples = bytes(range(line * height))
    (found,) = pictures(scan("/FlateDecode", zlib.compress(samples), width, height, space, bits))
    assert found.media == "image/png"
    start = found.data.index(b"IDAT") + 4
    rows = zlib.decompressobj().decompress(found.data[start:])
    assert b"".join(rows[at + 1 : at + 1 + line] for at in range(0, len(rows), line + 1)) == samples


def test_what_a_browser_cannot_show_or_is_too_much_is_left_out() -> None:
    assert pictures(scan("/FlateDecode", zlib.compress(b"x" * 4), 1, 1, "/DeviceCMYK")) == ()
    assert pictures(scan("/DCTDecode", JPEG, 10**6, 10**6, "/DeviceRGB")) == ()
    assert pictures(JPEG + b"x" * MAX_BYTES) == ()


@given(st.binary(max_size=300))
def test_any_bytes_at_all_are_looked_at_without_an_error(data: bytes) -> None:
    pictures(data)
    pictures(b"%PDF-1.7\n" + data)


def test_a_scan_reaches_a_person_with_its_pages_and_costs_nothing(tmp_path: Path) -> None:
    student = tmp_path / "ada"
    student.mkdir()
    (student / "scan.pdf").write_bytes(scan("/DCTDecode", JPEG, 10, 10, "/DeviceRGB", pages=2))
    problem = load_problem(PROBLEM)
    report, _ = grade_entrant(problem, entrant_of(Handin("ada", "", (student,), student)), Setting("", "not needed"))
    assert {finding.verdict for finding in report.findings} == {Verdict.UNDECIDED}
    address = f"data:image/jpeg;base64,{base64.b64encode(JPEG).decode()}"
    page = html.render(report)
    assert page.count(f'<img src="{address}"') == 2
    assert "scan.pdf, page 2" in page
    assert address not in html.render(for_student(report))
