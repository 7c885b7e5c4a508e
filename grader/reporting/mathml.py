"""LaTeX to MathML that is safe to put into a page, and text with `$…$` to HTML.

The converter's own output is not trusted: it unescapes what it wrote, so that `\\text{<script>}` would become markup.
Its tree is taken instead, and written here with an allow-list of elements and attributes and everything escaped.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape, unescape
from xml.etree.ElementTree import Element

from markupsafe import Markup

LONGEST_FORMULA = 4_000  # characters; longer ones are shown as code
DEEPEST_FORMULA = 60  # nested braces; deeper ones are shown as code
ELEMENT_NAMES = """
math mrow mi mn mo ms mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover mtable mtr mtd
mpadded mphantom menclose mstyle mmultiscripts mprescripts none
"""
ATTRIBUTE_NAMES = """
display displaystyle scriptlevel mathvariant stretchy fence separator form lspace rspace accent accentunder
columnalign rowlines columnlines linethickness minsize maxsize symmetric width height depth notation
movablelimits largeop columnspacing rowspacing
"""
ROWS = frozenset({"math", "mrow", "mtd", "msqrt", "mstyle"})  # whose children stand beside one another
TERMS = frozenset({"mi", "mn", "msub", "msup", "msubsup", "msqrt", "mfrac"})
THIN_SPACE = '<mspace width="0.17em"></mspace>'
SIGNS = frozenset("+-−±")
OPENING = frozenset("([{,;=≠<>≤≥≈→⇒|·×")
ELEMENTS = frozenset(ELEMENT_NAMES.split())
ATTRIBUTES = frozenset(ATTRIBUTE_NAMES.split())
DEFINES = re.compile(r"\\(?:re)?newcommand|\\[egx]?def\b|\\providecommand|\\DeclareMathOperator|\\let\b")
INLINE = re.compile(r"\$\$(.+?)\$\$|\$(.+?)\$|`([^`\n]+)`", re.DOTALL)


@lru_cache(maxsize=8_192)
def formula(latex: str, display: bool = False) -> Markup:
    """A formula as MathML; as escaped code where it cannot be typeset.  Never raises, never lets markup through."""
    tree = _convert(latex, display)
    if tree is None:
        return Markup("<code>{}</code>").format(latex)
    return Markup(_write(tree))  # noqa: S704 - _write escapes everything


def prose(text: str) -> Markup:
    """Plain text with `$…$` and backquoted code as HTML; everything else escaped, line ends kept."""
    parts: list[str] = []
    end = 0
    for match in INLINE.finditer(text):
        parts.append(_plain(text[end : match.start()]))
        display, inline, code = match.groups()
        if code is not None:
            parts.append(f"<code>{escape(code)}</code>")
        else:
            parts.append(str(formula((display or inline).strip(), display is not None)))
        end = match.end()
    parts.append(_plain(text[end:]))
    return Markup("".join(parts))  # noqa: S704 - every part is escaped above


def _plain(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _convert(latex: str, display: bool) -> Element | None:
    from latex2mathml.converter import Converter

    if not latex.strip() or len(latex) > LONGEST_FORMULA or DEFINES.search(latex) or _depth(latex) > DEEPEST_FORMULA:
        return None
    try:
        tree = Converter(display="block" if display else "inline").convert_to_element(latex)
    except Exception:  # noqa: BLE001 - the converter raises whatever it likes on text it does not know
        return None
    return tree if isinstance(tree, Element) and all(node.tag in ELEMENTS for node in tree.iter()) else None


def _depth(latex: str) -> int:
    deepest = depth = 0
    for character in latex:
        depth += (character in "{[(") - (character in "}])")
        deepest = max(deepest, depth)
    return max(deepest, latex.count("\\left"), latex.count("\\begin"))


def _opens(before: Element | None) -> bool:
    """Does a term begin after this element?"""
    return before is None or (before.tag == "mo" and unescape(before.text or "").strip() in OPENING)


def _apart(left: Element | None, right: Element) -> bool:
    """Does a function's name stand beside a letter or number?  `log p`, `3 sin x`; not `sin(x)`."""
    if left is None:
        return False
    return (_is_name(left) and right.tag in TERMS) or (_is_name(right) and left.tag in TERMS)


def _is_name(node: Element) -> bool:
    """`sin`, `log`: a word where a variable is one letter."""
    return node.tag == "mi" and (node.text or "").isalpha() and len(node.text or "") > 1


def _write(node: Element, before: Element | None = None) -> str:
    """One element and what is below it; `before` is the one on its left.  Depth is bounded by DEEPEST_FORMULA."""
    if node.tag == "mo" and unescape(node.text or "") in SIGNS and _opens(before):
        node.set("form", "prefix")  # a sign, not a difference: no space around it
    kept = "".join(
        f' {name}="{escape(unescape(value), quote=True)}"' for name, value in node.attrib.items() if name in ATTRIBUTES
    )
    inside = escape(unescape(node.text or "")) + "".join(
        (THIN_SPACE if node.tag in ROWS and _apart(left, child) else "") + _write(child, left)
        for left, child in zip([None, *node], node, strict=False)
    )
    return f"<{node.tag}{kept}>{inside}</{node.tag}>{escape(unescape(node.tail or '')).strip()}"
