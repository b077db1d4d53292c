"""Pages of the student's servers ask below the path that they are shown at."""

from dataclasses import dataclass, field

import pytest
from hexhub_lesson.preview_pages import MAX_BYTES, move_css, rewrite_page

PREFIX = "/user/ada/web/proxy/8000"


@dataclass
class Response:
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/html"})


@dataclass
class Request:
    path: str = f"{PREFIX}/a/b"


def shown(html: str, **headers: str) -> str:
    response = Response(html.encode(), {"Content-Type": "text/html; charset=utf-8", **headers})
    rewrite_page(response, Request())
    return response.body.decode()


@pytest.mark.parametrize(
    ("html", "moved"),
    [
        ('<a href="/about">', f'<a href="{PREFIX}/about">'),
        ("<img src='/a.png'>", f"<img src='{PREFIX}/a.png'>"),
        ("<link href=/a.css>", f"<link href={PREFIX}/a.css>"),
        ('<form action="/send">', f'<form action="{PREFIX}/send">'),
        ("<p style=\"background: url('/b.png')\">", f"url('{PREFIX}/b.png')"),
        ('<a href="/">', f'<a href="{PREFIX}/">'),
    ],
)
def test_absolute_paths_are_moved(html: str, moved: str) -> None:
    """Links, pictures, sheets and forms stay with the student's server."""
    assert moved in shown(html)


@pytest.mark.parametrize(
    "html",
    [
        '<a href="about">',
        '<a href="//cdn.example.org/a.js">',
        '<a href="https://example.org/">',
        "<p>write href=x or /etc/hosts</p>",
        '<a href="#top">',
    ],
)
def test_everything_else_stays(html: str) -> None:
    """Relative paths, other hosts and mere words are as the student wrote them."""
    assert html in shown(html)


def test_the_script_stands_first_and_names_path_and_port() -> None:
    """It runs before any script of the page, and knows the localhost address of the server."""
    html = shown("<!doctype html><html><head lang=en><script src=/x.js></script></head></html>")
    assert html.startswith("<!doctype html><html><head lang=en><script>(function(prefix,port)")
    assert f'("{PREFIX}",8000)' in html
    assert shown("<!doctype html><p>hi").startswith("<!doctype html><script>")


def test_what_is_no_page_is_left_alone() -> None:
    """JSON, pictures, compressed and huge answers, and pages elsewhere are not touched."""
    for response, request in (
        (Response(b'{"href": "/a"}', {"Content-Type": "application/json"}), Request()),
        (
            Response(b" src=/a", {"Content-Type": "text/html", "Content-Encoding": "gzip"}),
            Request(),
        ),
        (Response(b" src=/a" + b" " * MAX_BYTES), Request()),
        (Response(b" src=/a"), Request("/user/ada/web/proxy/absolute/8000/")),
        (Response(b""), Request()),
    ):
        before = response.body
        rewrite_page(response, request)
        assert response.body == before


def test_a_path_cannot_end_the_script() -> None:
    """What stands in the address is data in the script, whatever it is."""
    response = Response(b"<p>")
    rewrite_page(response, Request("/user/</script><b>/proxy/8000/"))
    script, _, _ = response.body.partition(b"</script>")
    assert b'"/user/\\u003c/script>\\u003cb>/proxy/8000"' in script


def test_style_sheets_are_moved() -> None:
    """Pictures and sheets that a sheet names by absolute path."""
    css = b'a { background: url(/a.png) } @import "/b.css"; b { background: url(//c/d) }'
    moved = move_css(css, "/p")
    assert (
        moved == b'a { background: url(/p/a.png) } @import "/p/b.css"; b { background: url(//c/d) }'
    )
