"""Authors' texts and files as HTML that is safe to put into a page."""

import json

from markdown_it import MarkdownIt
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import TextLexer, get_lexer_for_filename
from pygments.util import ClassNotFound

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_FORMATTER = HtmlFormatter(cssclass="code", wrapcode=True)


def render_markdown(text: str) -> Markup:
    """Give Markdown as HTML; HTML in it stays text, and only harmless links are links."""
    return Markup(_MARKDOWN.render(text))  # noqa: S704 -- markdown-it escapes, html is off


def render_inline(text: str) -> Markup:
    """Give one line of Markdown as HTML without a paragraph around it."""
    return Markup(_MARKDOWN.renderInline(text))  # noqa: S704 -- as above


def render_code(path: str, text: str) -> Markup:
    """Give a file as HTML, coloured by its name where that is known."""
    try:
        lexer = get_lexer_for_filename(path, stripnl=False)
    except ClassNotFound:
        lexer = TextLexer(stripnl=False)
    return Markup(highlight(text, lexer, _FORMATTER))  # noqa: S704 -- pygments escapes


def render_notebook(text: str) -> Markup | None:
    """Give the cells of a notebook as HTML, without outputs; None where it is no notebook."""
    try:
        cells = [
            (str(cell["cell_type"]), "".join(cell["source"])) for cell in json.loads(text)["cells"]
        ]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    parts = [
        Markup('<div class="cell prose">{}</div>').format(render_markdown(source))
        if kind == "markdown"
        else Markup('<div class="cell">{}</div>').format(render_code("cell.py", source))
        for kind, source in cells
        if source.strip()
    ]
    return Markup("").join(parts)
