"""Authors' texts as HTML: nothing in them can act."""

import json

import pytest

from hexhub.service.pages.markup import render_code, render_inline, render_markdown, render_notebook

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "![x](javascript:alert(1))",
    "<javascript:alert(1)>",
    "[x](vbscript:a)",
    '[x](data:text/html,<script>alert(1)</script> "t")',
    '`"><script>alert(1)</script>`',
    "```html\n<script>alert(1)</script>\n```",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_cannot_act(text: str) -> None:
    """HTML stays text, and links that run something are not made."""
    for html in (render_markdown(text), render_inline(text)):
        assert "<script" not in html
        assert "<img src=x" not in html
        assert 'href="javascript' not in html
        assert 'src="javascript' not in html
        assert 'href="vbscript' not in html
        assert 'href="data:text/html' not in html


@pytest.mark.parametrize("path", ["a.py", "a.html", "a.unknown", "Makefile", "a.js", "<b>"])
def test_code_cannot_act(path: str) -> None:
    """A file's text is escaped, whatever language it is taken for."""
    html = render_code(path, "<script>alert(1)</script>\n")

    assert "<script" not in html
    assert "alert" in html


def test_notebook_is_shown_by_cells() -> None:
    """Markdown cells are prose, code cells code; outputs and empty cells are left out."""
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "<script>x</script>"]},
        {"cell_type": "code", "source": "print(1)", "outputs": [{"text": "secret"}]},
        {"cell_type": "code", "source": ""},
    ]
    html = render_notebook(json.dumps({"cells": cells}))

    assert html is not None
    assert "<h1>Title</h1>" in html
    assert html.count('class="cell') == 2
    assert "secret" not in html
    assert "<script" not in html


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"cells": 1}', '{"cells": [1]}'])
def test_what_is_no_notebook_is_left_to_others(text: str) -> None:
    """A file that is named like a notebook and is none gives None."""
    assert render_notebook(text) is None
