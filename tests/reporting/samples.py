"""Reports made by hand that show every verdict, every kind of evidence and hostile text."""

from __future__ import annotations

from fractions import Fraction

from grader.model import (
    Decision,
    Evidence,
    Finding,
    Place,
    Provenance,
    QuestionScore,
    Remark,
    Report,
    Score,
    Verdict,
)

F = Fraction
TRUTH = r"-3 x^{2} \sin(x^{3}) \ln(x^{4}/11) + 4 \cos(x^{3})/x"
HOSTILE = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>$\\text{<b>}$`</code>`|*_#"

GRAPH = Evidence(
    "graph",
    "The graph as it was read.",
    data=(
        *(
            ("node", node)
            for node in (
                "a",
                "b",
                "c",
                "t1 = c^2",
                "t2 = a + b",
                "t3 = t2 + t1",
                "t4 = sqrt(t3)",
                "t5 = log(t3)",
                "t6 = b t1",
                "t7 = t3 / t6",
                "t8 = t4 + t5",
                "A = t8 + t7",
            )
        ),
        *(
            ("edge", edge)
            for edge in (
                "c -> t1 : 2 c",
                "a -> t2",
                "b -> t2",
                "t2 -> t3",
                "t1 -> t3",
                "t3 -> t4 : 1/(2 sqrt(t3))",
                "t3 -> t5",
                "b -> t6",
                "t1 -> t6",
                "t3 -> t7",
                "t6 -> t7",
                "t4 -> t8",
                "t5 -> t8",
                "t8 -> A",
                "t7 -> A",
            )
        ),
        ("mark", "t6"),
    ),
)


def finding(item: str, verdict: Verdict, points: int | Fraction, credit: int | Fraction = 0, **rest: object) -> Finding:
    return Finding(item, verdict, F(credit), F(points), **rest)  # type: ignore[arg-type]


FINDINGS = (
    finding(
        "1a",
        Verdict.INCORRECT,
        2,
        note="chain_rule.inner_derivative_missing",
        message=r"The derivative of the inside is missing: for $\cos(x^3)$ the inside is $x^3$.",
        read_as="-sin(x^3) ln(x^4/11) + 4 cos(x^3)/x",
        read_as_latex=r"-\sin\left(x^{3}\right) \ln\left(\frac{x^{4}}{11}\right) + \frac{4 \cos\left(x^{3}\right)}{x}",
        evidence=(
            Evidence(
                "witness",
                "at $x = 3/2$ the answer gives 2.1",
                data=(("x", "3/2"), ("answer", "2.1"), ("truth", "-0.7")),
            ),
            Evidence("route", "The truth is confirmed by three routes.", "instructor", (("formula", TRUTH),)),
        ),
        where=Place("answers.md", 12, 3),
    ),
    finding(
        "1b", Verdict.CORRECT, 2, 1, read_as="f(x) (mu - x)/sigma^2", read_as_latex=r"f(x)\,\frac{\mu - x}{\sigma^{2}}"
    ),
    finding(
        "1c",
        Verdict.UNREADABLE,
        2,
        note="unreadable",
        message="A closing brace is missing after `1+e^{-x`.",
        evidence=(Evidence("caret", "", data=(("source", r"\frac{1}{1+e^{-x}^2"), ("start", "11"), ("end", "16"))),),
        where=Place("answers.md", 20, 8),
    ),
    finding("2a.A", Verdict.CORRECT, 4, 1, message="9 operations, every one reused.", evidence=(GRAPH,)),
    finding(
        "2c.A",
        Verdict.INCORRECT,
        6,
        F(2, 3),
        note="graph.path_missing",
        message="8 of 12 nodes are right. At $t_3$ the path through $t_5$ is missing.",
    ),
    finding(
        "2.lambda1",
        Verdict.CARRIED,
        4,
        1,
        read_as="[-2, -5/2, 2]",
        read_as_latex=r"\begin{bmatrix} -2 \\ -\frac{5}{2} \\ 2 \end{bmatrix}",
        note="carried",
        message="Right from your own $x_1$.",
        evidence=(
            Evidence(
                "chain",
                "One slip, two false links.",
                data=(
                    ("left", "(-1)^2 + 1 + (-1)(3)"),
                    ("right", "1 - 3"),
                    ("holds", "no"),
                    ("line", "14"),
                    ("why", "the left side is $-1$, the right side $-2$"),
                    ("left", "1 - 3"),
                    ("right", "-1"),
                    ("holds", "no"),
                    ("line", "14"),
                    ("left", "2 + 2"),
                    ("right", "4"),
                    ("holds", "yes"),
                ),
            ),
        ),
    ),
    finding("2.L", Verdict.BLANK, 1, note="blank"),
    finding("3.statement", Verdict.UNDECIDED, 5, note="prose", message="A person reads this.", read_as=HOSTILE),
    finding(
        "3a.mul.backward",
        Verdict.INCORRECT,
        2,
        note="program.upstream_ignored",
        message="The gradient does not depend on the upstream gradient.",
        evidence=(Evidence("probe", HOSTILE, data=(("<b>shape</b>", HOSTILE),)),),
    ),
)

REPORT = Report(
    problem="dl-sheet01",
    title="Deep Learning, sheet 01",
    student="lovelace_ada",
    name="Ada Lovelace <ada@example.org>",
    findings=FINDINGS,
    score=Score(
        F(16),
        F(28),
        F(2),
        (
            QuestionScore("1a", F(0), F(2), F(0)),
            QuestionScore("1b", F(2), F(2), F(0)),
            QuestionScore("1c", F(0), F(2), F(2)),
            QuestionScore("2a", F(4), F(4), F(0)),
            QuestionScore("2c", F(4), F(6), F(0)),
            QuestionScore("2", F(4), F(5), F(0)),
            QuestionScore("3", F(3), F(5), F(0)),
            QuestionScore("3a", F(0), F(2), F(0)),
        ),
        F(1),
    ),
    decisions=(Decision("lovelace_ada", "3.statement", F(3), "Names both modes, no costs. " + HOSTILE, "kb"),),
    remarks=(
        Remark("late", "The hand-in came after the due time."),
        Remark("unknown_label", HOSTILE, Place(HOSTILE, 3)),
    ),
    provenance=Provenance("0.1.0", "ab12" * 16, "cd34" * 16, "seed-digest-5150", "namespaces", (("numpy", "2.4"),)),
    late_seconds=9_000,
)
