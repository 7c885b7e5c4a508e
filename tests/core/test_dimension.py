"""Sizes as people write them."""

from __future__ import annotations

import pytest

from grader.kinds.dimension import membership, read_dimension, same_dimension


@pytest.mark.parametrize(
    ("text", "names", "sizes"),
    [
        ("2", (), ("2",)),
        ("n", ("n",), ("n",)),
        ("$n$", ("n",), ("n",)),
        (r"2 \times 3", (), ("2", "3")),
        ("2x3", (), ("2", "3")),
        ("2 x 3", (), ("2", "3")),
        ("2 × 3", (), ("2", "3")),
        ("(2, 3)", (), ("2", "3")),
        ("2 by 3", (), ("2", "3")),
        ("M x N", ("M", "N"), ("M", "N")),
        ("MxN", ("M", "N"), ("M", "N")),
        (r"M\times N", ("M", "N"), ("M", "N")),
        (r"\mathbb{R}^{M\times N}", ("M", "N"), ("M", "N")),
        (r"\in \mathbb{R}^2", (), ("2",)),
        (r"\mathbb R^n", ("n",), ("n",)),
        ("ℝ²", (), ("2",)),
        ("R^(2x1)", (), ("2", "1")),
        ("n-dimensional", ("n",), ("n",)),
        ("It is a 2 × 3 matrix.", (), ("2", "3")),
        (r"\dim = 2", (), ("2",)),
        (r"n \times 1", ("n",), ("n", "1")),
        (r"J \in \R^{2\times 3}", (), ("2", "3")),
        ("the same as x", ("n",), None),
        ("", (), None),
        ("k", ("n",), None),
        ("9" * 500, (), None),
    ],
)
def test_a_size_is_read_or_it_is_none(text: str, names: tuple[str, ...], sizes: tuple[str, ...] | None) -> None:
    assert read_dimension(text, names) == sizes


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        (r"f'(x) \in \mathbb{R}^{M\times N}", r"M\times N"),
        (r"x \in \mathbb{R}^2", "2"),
        (r"a = b", ""),
        (r"\in \R^n", "n"),
        (r"\in \mathbb R^{", ""),
    ],
)
def test_the_exponent_behind_an_element_sign(text: str, inside: str) -> None:
    assert membership(text) == inside


@pytest.mark.parametrize(
    ("stated", "shape", "either", "same"),
    [
        ((2,), (2,), False, True),
        ((2, 1), (2,), False, True),
        ((1, 2), (2,), False, True),
        ((2, 2), (2,), False, False),
        ((2, 3), (2, 3), False, True),
        ((3, 2), (2, 3), False, False),
        ((3, 2), (2, 3), True, True),
        ((1,), (), False, True),
        ((6,), (2, 3), False, False),
    ],
)
def test_which_sizes_fit_a_shape(stated: tuple[int, ...], shape: tuple[int, ...], either: bool, same: bool) -> None:
    assert same_dimension(stated, shape, either) is same
