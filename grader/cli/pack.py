"""`grader pack SOURCE PDF`: the source of an answer embedded in its PDF."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli import EXIT_OK

SOURCES = (".tex", ".ipynb", ".md", ".markdown", ".qmd", ".rmd", ".toml", ".json", ".yaml", ".yml", ".txt")


@click.command("pack")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("pdf", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Where to write; by default PDF is replaced.")
def command(source: Path, pdf: Path, out: Path | None) -> int:
    """Embed SOURCE (LaTeX, notebook, Markdown, …) in PDF, so that the PDF alone can be graded.

    Mathematics can't be read back from a PDF's pages; the embedded source is read instead, byte for byte.
    """
    from grader.export.embedding import NotEmbedded, embed
    from grader.reading.files import cap

    suffix = source.suffix.lower()
    if suffix not in SOURCES:
        raise click.UsageError(f"{source.name} is no source that can be graded; use one of {' '.join(SOURCES)}.")
    if source.stat().st_size > cap(suffix):
        raise click.UsageError(
            f"{source.name} is larger than {cap(suffix) // 2**20} MB; clear a notebook's outputs first."
        )
    try:
        packed = embed(pdf.read_bytes(), source.name, source.read_bytes())
    except NotEmbedded as problem:
        raise click.ClickException(f"{pdf}: {problem}.") from None
    target = out or pdf
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.new")
    beside.write_bytes(packed)
    beside.replace(target)
    click.echo(f"{target} carries {source.name} ({source.stat().st_size} bytes).")
    return EXIT_OK
