"""A student's folder or file → a Submission."""

from __future__ import annotations

import hashlib
import html
import re
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from grader.model import Answer, Fragment, Place, Remark, Submission
from grader.reading.archives import inner_files
from grader.reading.assembling import assemble
from grader.reading.collecting import Placed, answers
from grader.reading.files import (
    ANSWERS,
    ARCHIVES,
    DOCUMENTS,
    IMAGES,
    NOT_ANSWERS,
    NOTEBOOKS,
    PDFS,
    RECORDS,
    File,
    Files,
    decode,
    gather,
    shown,
)
from grader.reading.labels import Labels, named
from grader.reading.markdown import read_markdown
from grader.reading.notebook import read_notebook
from grader.reading.pdf import Printed, for_a_person, read_pdf
from grader.reading.pieces import Document
from grader.reading.records import read_records
from grader.reading.tex import read_tex
from grader.reading.wording import is_formula, notation_of, split_formula

STUDENT_ID = re.compile(r"[^\w.@+\-]+")
PAGES = (".html", ".htm")
_README = re.compile(r"(?:^|/)readme\.\w+$", re.I)
_STATEMENT = re.compile(r"(?:^|/)statement\.\w+$", re.I)  # handed out; its formulas are nobody's answers


@dataclass(slots=True)
class _Gathered:
    """What reading one hand-in collects."""

    placed: list[Placed] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    notebooks: list[str] = field(default_factory=list)
    sources: set[tuple[str, str]] = field(default_factory=set)  # stem and digest of what was read


def read_submission(path: Path, labels: Labels) -> Submission:
    """A student's hand-in, a folder or one file.  Never raises for what a student handed in.

    Names in `files`, `notebooks` and places are relative to the folder (to the file's own folder for one file), so that
    the same bytes give the same submission on every machine.
    """
    return submission_of(gather(path), labels, student_id(path))


def opened(found: Files) -> Files:
    """The files with those inside archives in the archives' place, in the order of names."""
    files: list[File] = []
    remarks = list(found.remarks)
    for file in found.files:
        if file.suffix in ARCHIVES:
            inner, noted = inner_files(file)
            files += inner
            remarks += noted
        else:
            files.append(file)
    return Files(tuple(files), tuple(remarks))


def student_id(path: Path) -> str:
    """The id that a folder's or file's name gives a student."""
    name = path.resolve().name if path.name in ("", ".", "..") else path.name
    name = name if path.is_dir() else PurePosixPath(name).stem
    return STUDENT_ID.sub("_", name.encode("utf-8", "replace").decode()).strip("_") or "student"


def submission_of(found: Files, labels: Labels, student: str) -> Submission:
    """The submission that a set of files is."""
    found = opened(found)
    state = _Gathered(remarks=list(found.remarks))
    _read_metadata_files(found.files, state)
    for file in _in_reading_order(found.files):
        _read_file(file, labels, state)
    _drop_handed_out_text(state)
    _leave_to_a_person(found.files, labels, state)
    if not found.files and not found.remarks:
        state.remarks.append(Remark("empty", "Nothing was handed in: the folder is empty."))
    elif (
        found.files
        and not state.placed
        and not any(remark.note in ("pdf_for_person", "for_person") for remark in state.remarks)
        and not state.notebooks
    ):
        names = ", ".join(shown(file.name) for file in found.files[:5]) or "no file"
        message = f"No answer was found in {names}. Answers stand below labels such as {_example(labels)}."
        state.remarks.append(Remark("no_answers", message))
    return Submission(
        student=student,
        answers=answers(tuple(_once(state.placed)), labels),
        notebooks=tuple(state.notebooks),
        name=state.metadata.get("name", ""),
        submitted=state.metadata.get("submitted"),
        digest=digest(found.files),
        remarks=tuple(state.remarks),
        files=tuple(file.name for file in found.files),
    )


def _leave_to_a_person(files: tuple[File, ...], labels: Labels, state: _Gathered) -> None:
    """What can't be read here, or says nowhere which question it answers, waits for a person: it is not blank."""
    if any(p.fragment.kind != "code" for p in state.placed):
        return
    broken = {r.where.file for r in state.remarks if r.where and r.note in ("corrupt_pdf", "binary", "too_large")}
    stray = [r.where.file for r in state.remarks if r.where and r.note == "unlabelled"]
    unread = [f.name for f in files if f.data and (f.suffix in DOCUMENTS + IMAGES)]
    names = list(dict.fromkeys([*unread, *sorted(broken), *stray]))
    if not names:
        return
    message = f"No answer could be read from {', '.join(shown(name) for name in names[:5])}; a person looks at it."
    state.remarks.append(Remark("for_person", message, Place(names[0])))
    coded = {p.question for p in state.placed}
    image = Fragment("image", names[0], "plain", Place(names[0]), "scan", True)
    state.placed += [Placed(question, "", image) for question in labels.questions if question not in coded]


def _drop_handed_out_text(state: _Gathered) -> None:
    """Text of a notebook that names no question is the handed-out one's own where answers or code stand elsewhere."""
    names = set(state.notebooks) - {r.where.file for r in state.remarks if r.note == "unknown_label" and r.where}
    own = {p.fragment.where.file for p in state.placed if p.fragment.kind == "code"}
    elsewhere = {p.fragment.where.file for p in state.placed if p.fragment.kind in ("formula", "graph", "text")}
    dropped = {name for name in names if name in own or elsewhere - {name}}
    notes = ("prose", "unlabelled")
    state.remarks = [r for r in state.remarks if not (r.note in notes and r.where and r.where.file in dropped)]


def _example(labels: Labels) -> str:
    name = next(iter(labels.questions), "1a")
    return f'"{name}" or "## Exercise {name}"'


def digest(files: tuple[File, ...]) -> str:
    """SHA-256 over the names and bytes of all files."""
    total = hashlib.sha256()
    for file in files:
        total.update(f"{file.name}\0{len(file.data)}\0".encode("utf-8", "replace"))
        total.update(file.data)
    return total.hexdigest()


def _in_reading_order(files: tuple[File, ...]) -> list[File]:
    """Sources before PDFs, so that a PDF made from a source that is there too is not read twice; READMEs last."""
    kept = [
        f
        for f in files
        if (f.suffix in ANSWERS or _is_online_text(f)) and PurePosixPath(f.name).name.lower() not in NOT_ANSWERS
    ]
    if any(not _STATEMENT.search(f.name) and not _README.search(f.name) for f in kept):
        kept = [f for f in kept if not _STATEMENT.search(f.name)]
    others = [f for f in kept if not _README.search(f.name) and f.suffix not in PDFS]
    if others:
        kept = [f for f in kept if not _README.search(f.name)]
    return sorted(kept, key=lambda f: (f.suffix in PDFS, f.name))


def _is_online_text(file: File) -> bool:
    """Text typed into an LMS's own editor; other pages are exports of something else."""
    return file.suffix in PAGES and "onlinetext" in file.name.lower()


def _read_metadata_files(files: tuple[File, ...], state: _Gathered) -> None:
    """`metadata.toml` (name, submitted), `submitted.txt` beside the answers."""
    for file in files:
        base = PurePosixPath(file.name).name.lower()
        if base in ("metadata.toml", "metadata.json", "metadata.yml"):
            _placed, document = read_records(file, Labels({}))
            for key, value in document.metadata:
                state.metadata.setdefault(key, value)
        elif base in ("submitted.txt", "timestamp.txt"):
            text, _ = decode(file)
            if text.strip():
                state.metadata.setdefault("submitted", text.strip().splitlines()[0][:60])


def _read_file(file: File, labels: Labels, state: _Gathered) -> None:
    if not file.data:
        state.remarks.append(Remark("empty_file", f"{shown(file.name)} is empty.", Place(file.name)))
        return
    if file.suffix in PDFS:
        _read_printed(file, labels, state)
        return
    state.sources.add((PurePosixPath(file.name).stem.lower(), file.digest))
    if file.suffix in RECORDS:
        placed, document = read_records(file, labels)
    else:
        document = read_document(file)
        placed, noted = assemble(document.lines, labels, _start(file, labels))
        document = replace(document, remarks=document.remarks + noted)
    _note_other_files(placed, state)
    state.placed += placed
    state.remarks += document.remarks
    state.notebooks += document.notebooks
    for key, value in document.metadata:
        state.metadata.setdefault(key, value)


def read_document(file: File) -> Document:
    """The lines of a written file or notebook."""
    if file.suffix in NOTEBOOKS:
        return read_notebook(file)
    text, remarks = decode(file)
    if file.suffix in PAGES:
        text = without_tags(text)
    if "\\begin{document}" in text or file.suffix in (".tex", ".ltx", ".latex"):
        document = read_tex(file.name, text)
    else:
        document = read_markdown(file.name, text)
    return replace(document, remarks=remarks + document.remarks)


def without_tags(page: str) -> str:
    """The text of a page made by an LMS's editor: its paragraphs as lines, without tags."""
    page = re.sub(r"<(script|style)\b.{0,100000}?</\1>", "", page, flags=re.S | re.I)
    page = re.sub(r"<h([1-6])\b[^<>]{0,300}>", lambda m: "\n" + "#" * int(m.group(1)) + " ", page, flags=re.I)
    page = re.sub(r"<(?:br|/?p|/?div|/?li|/?tr|/h[1-6])\b[^<>]{0,300}>", "\n", page, flags=re.I)
    page = re.sub(r"</?[a-zA-Z][^<>]{0,1000}>", "", page)
    return html.unescape(page).replace("\xa0", " ")


def _start(file: File, labels: Labels) -> str:
    """The question a file is about by its name ("1a.md", "aufgabe_1a.tex"), or the only one there is."""
    if len(labels.questions) == 1:
        return next(iter(labels.questions))
    stem = PurePosixPath(file.name).stem.replace("_", " ")
    hit = named(stem, labels, (), strong=True)
    return hit.name if hit and hit.what == "question" and hit.rest >= len(stem.rstrip()) else ""


def _read_printed(file: File, labels: Labels, state: _Gathered) -> None:
    printed = read_pdf(file)
    state.remarks += printed.remarks
    known = {digest for _, digest in state.sources}
    stems = {stem for stem, _ in state.sources}
    new = [inner for inner in printed.sources if inner.digest not in known]
    if printed.sources:
        for inner in new:
            _read_file(replace(inner, name=f"{file.name}/{inner.name}"), labels, state)
        return
    if PurePosixPath(file.name).stem.lower() in stems or any(p.fragment.kind != "code" for p in state.placed):
        message = f"{shown(file.name)} was not read; the answers were taken from the sources beside it."
        state.remarks.append(Remark("pdf_beside_source", message, Place(file.name)))
        return
    if not any(remark.where == Place(file.name) for remark in printed.remarks):
        state.remarks.append(for_a_person(file, printed))
        _scan_for_person(file, printed, labels, state)


def _scan_for_person(file: File, printed: Printed, labels: Labels, state: _Gathered) -> None:
    """The scan stands under every question as an image: a person finds the answer in it, no item is blank."""
    image = Fragment("image", file.name, "plain", Place(file.name), "scan", True)
    state.placed += [Placed(question, "", image) for question in labels.questions]


def _note_other_files(placed: tuple[Placed, ...], state: _Gathered) -> None:
    """A question answered in two files is noticed, unless both say the same."""

    def answered(many: list[Placed] | tuple[Placed, ...]) -> dict[str, Placed]:
        return {
            p.question: p
            for p in reversed(many)
            if p.fragment.kind in ("formula", "graph") and p.fragment.label != "given"
        }

    before, now = answered(state.placed), answered(placed)
    texts = {(p.question, p.item, p.fragment.text) for p in state.placed}
    for question in [q for q in now if q in before]:
        if all((p.question, p.item, p.fragment.text) in texts for p in placed if p.question == question):
            continue
        first = before[question].fragment.where
        message = f"Question {question} is answered in {shown(first.file)} too; both were read, one after the other."
        state.remarks.append(Remark("duplicate", message, now[question].fragment.where))


def _once(placed: list[Placed]) -> list[Placed]:
    """Fragments without those that repeat another file's word for word (a notebook and its export, say)."""
    seen: dict[tuple[str, str, str, str], str] = {}
    kept: list[Placed] = []
    for p in placed:
        key = (p.question, p.item, p.fragment.kind, p.fragment.text)
        if seen.setdefault(key, p.fragment.where.file) == p.fragment.where.file:
            kept.append(p)
    return kept


def formulas(path: Path) -> tuple[Fragment, ...]:
    """All formulas of a written file in the order of the document, whatever they belong to.

    Formulas typed without delimiters count where they are told from words.  Never raises for a file's contents.
    """
    found: list[Fragment] = []
    for file in gather(path).files:
        if file.suffix in RECORDS or file.suffix not in ANSWERS:
            continue
        inner = read_pdf(file).sources if file.suffix in PDFS else (file,)
        for one in inner:
            for line in read_document(one).lines:
                found += _formulas_of(line)
    return tuple(found)


def _formulas_of(line: object) -> list[Fragment]:
    from grader.reading.pieces import Line

    assert isinstance(line, Line)
    found: list[Fragment] = []
    alone = sum(run.kind != "text" for run in line.runs) == len(line.runs) == 1
    for run in line.runs:
        if run.kind == "formula":
            found.append(Fragment("formula", run.text, run.notation, run.where, "", alone))
        elif run.kind == "text" and is_formula(run.text) and "=" in run.text:
            found.append(Fragment("formula", run.text, notation_of(run.text), run.where, "", len(line.runs) == 1))
        elif run.kind == "text" and (apart := split_formula(run.text)):
            column = run.where.column + len(apart[0])
            where = replace(run.where, column=column)
            found.append(Fragment("formula", apart[1], notation_of(apart[1]), where, "", False))
    return found


def file_bytes(path: Path, name: str) -> bytes | None:
    """The bytes of one of a submission's `files`, `notebooks` or of a source embedded in a PDF ("a.pdf/a.tex")."""
    for file in opened(gather(path)).files:
        if file.name == name:
            return file.data
        if file.suffix in PDFS and name.startswith(file.name + "/"):
            for inner in read_pdf(file).sources:
                if f"{file.name}/{inner.name}" == name:
                    return inner.data
    return None


def images(submission: Submission) -> tuple[str, ...]:
    """Names of the picture files of a hand-in."""
    return tuple(name for name in submission.files if PurePosixPath(name).suffix.lower() in IMAGES)


def answer_of(submission: Submission, question: str, item: str = "") -> Answer | None:
    """The answer to a question or item, or None."""
    return next((a for a in submission.answers if a.question == question and a.item == item), None)
