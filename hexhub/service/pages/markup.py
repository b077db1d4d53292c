"""Authors' texts and files as HTML that is safe to put into a page."""

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
