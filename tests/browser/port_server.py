"""A web server as a student writes one, for the tests of the preview; runs in the machine.

Its page asks for a style sheet, a picture and an answer by absolute path, and speaks over a web
socket by the address it has on ``localhost``: what breaks where a page is shown below another path.
"""

import sys

import tornado.ioloop
import tornado.web
import tornado.websocket

PAGE = """<!doctype html>
<html lang="en"><head><title>Mine</title><link rel="stylesheet" href="/look/style.css"></head>
<body><h1>Mine</h1><p id="visits">%d</p><img src="/look/dot.svg" alt="dot" width="20">
<p id="fetched"></p><p id="heard"></p><a href="/second">second</a>
<script>
fetch('/api/word').then(a => a.text()).then(t => { fetched.textContent = t; });
var socket = new WebSocket('ws://localhost:%d/socket');
socket.onopen = function () { socket.send('hello'); };
socket.onmessage = function (event) { heard.textContent = event.data; };
</script></body></html>"""
DOT = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"><circle cx="2" cy="2" r="2"/></svg>'
)
PORT = int(sys.argv[1])
visits = 0


class Page(tornado.web.RequestHandler):
    """The first page, which counts."""

    def get(self) -> None:
        """Answer."""
        global visits
        visits += 1
        self.write(PAGE % (visits, PORT))


class Text(tornado.web.RequestHandler):
    """Anything else."""

    def initialize(self, kind: str, text: str) -> None:
        """Take what to answer."""
        self.kind, self.text = kind, text

    def get(self) -> None:
        """Answer."""
        self.set_header("Content-Type", self.kind)
        self.write(self.text)


class Echo(tornado.websocket.WebSocketHandler):
    """Says what it is told."""

    def on_message(self, message: str | bytes) -> None:
        """Answer."""
        self.write_message(f"heard {message!s}")


tornado.web.Application(
    [
        ("/", Page),
        ("/second", Text, {"kind": "text/html", "text": "<!doctype html><h1>Second</h1>"}),
        ("/look/style.css", Text, {"kind": "text/css", "text": "h1 { color: rgb(1, 2, 3) }"}),
        ("/look/dot.svg", Text, {"kind": "image/svg+xml", "text": DOT}),
        ("/api/word", Text, {"kind": "text/plain", "text": "fetched it"}),
        ("/socket", Echo),
    ]
).listen(PORT, "127.0.0.1")
tornado.ioloop.IOLoop.current().start()
