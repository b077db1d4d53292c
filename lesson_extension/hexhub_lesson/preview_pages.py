"""Pages of the student's web servers that are shown below a path of the IDE.

A page that was written for ``http://localhost:8000/`` says ``/style.css`` and means its own server;
shown at ``…/proxy/8000/`` it would get JupyterHub's. So what an HTML page or a style sheet asks for
by absolute path is moved below the path that it is shown at, and a small script does the same for
what the page's own script asks for: fetch, XMLHttpRequest, EventSource, WebSocket, history.

Design choices: an origin for each port (``8000--ada.example.org``) needs no rewriting, but a
wildcard name and certificate, a proxy that routes by host, and a log-in at each origin; where
JupyterHub has subdomains a student's pages already have an origin apart from other students', and
paths work everywhere. A service worker sees no WebSocket and no first page. ``<base>`` does nothing
to absolute paths. Not moved: what a JavaScript module imports by absolute path; such a page can be
served with a base path, or looked at in a tab at ``…/proxy/absolute/8000/``.

The page is the student's own, in their own origin, so that a script that is put into it can do
nothing that the page could not.
"""

import json
import re
from typing import Protocol

MAX_BYTES = 4 * 1024**2
"""Larger pages are shown as they are."""

_ATTRIBUTE = re.compile(
    rb"""(?P<name>\s(?:href|src|action|formaction|poster|data)\s*=\s*)(?P<quote>["']?)/(?![/>])""",
    re.IGNORECASE,
)
_CSS_URL = re.compile(rb"""(?P<start>(?:url\(|@import)\s*["']?)/(?!/)""", re.IGNORECASE)
_HEAD = re.compile(rb"<head(?:\s[^>]*)?>", re.IGNORECASE)
_DOCTYPE = re.compile(rb"\s*<!doctype[^>]*>", re.IGNORECASE)
_PREFIX = re.compile(r"(?P<prefix>.*?/proxy/(?P<port>\d{1,5}))(?:/|$)")

_SCRIPT = """<script>(function(prefix,port){
var own=[location.host,"localhost:"+port,"127.0.0.1:"+port];
function moved(to){var text=String(to);
if(/^\\/(?!\\/)/.test(text))return text.indexOf(prefix+"/")===0?text:prefix+text;
var full=/^(https?|wss?):\\/\\/([^\\/?#]+)([^]*)$/.exec(text);
if(!full||own.indexOf(full[2])<0)return to;
var scheme=full[1].charAt(0)==="w"?location.protocol.replace("http","ws"):location.protocol;
var rest=full[3].charAt(0)==="/"?full[3]:"/"+full[3];
return scheme+"//"+location.host+(rest.indexOf(prefix+"/")===0?rest:prefix+rest);}
function wrap(name){var Old=window[name];if(!Old)return;
window[name]=new Proxy(Old,{construct:function(kind,args,target){
if(args.length)args[0]=moved(args[0]);return Reflect.construct(kind,args,target);}});}
["WebSocket","EventSource","Worker"].forEach(wrap);
var oldFetch=window.fetch;window.fetch=function(what,how){
return oldFetch.call(this,what instanceof Request?what:moved(what),how);};
var open=XMLHttpRequest.prototype.open;XMLHttpRequest.prototype.open=function(){
if(arguments.length>1)arguments[1]=moved(arguments[1]);return open.apply(this,arguments);};
["pushState","replaceState"].forEach(function(name){var old=history[name];
history[name]=function(state,title,to){
return old.call(this,state,title,to===undefined||to===null?to:moved(to));};});
})(%s,%s);</script>"""


class _Headers(Protocol):
    def get(self, name: str, default: str = "") -> str | None: ...


class _Response(Protocol):
    """What jupyter-server-proxy hands in (its ``RewritableResponse``)."""

    headers: _Headers
    body: bytes


class _Request(Protocol):
    path: str


def rewrite_page(response: _Response, request: _Request) -> None:
    """Move the absolute paths of an HTML page or a style sheet below the path it is shown at.

    Everything else, what is compressed, and what is larger than ``MAX_BYTES`` stays as it is.

    Args:
        response: Of the student's server; its ``body`` is replaced.
        request: Of the browser.
    """
    shown_at = _PREFIX.match(request.path)
    kind = (response.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    is_plain = not response.headers.get("Content-Encoding")
    body = response.body
    if shown_at is None or not is_plain or not body or len(body) > MAX_BYTES:
        return
    if kind == "text/html":
        response.body = move_html(body, shown_at["prefix"], int(shown_at["port"]))
    elif kind == "text/css":
        response.body = move_css(body, shown_at["prefix"])


def move_css(body: bytes, prefix: str) -> bytes:
    """Give a style sheet that asks for its pictures and sheets below ``prefix``."""
    path = prefix.encode()
    return _CSS_URL.sub(lambda found: found["start"] + path + b"/", body)


def move_html(body: bytes, prefix: str, port: int) -> bytes:
    """Give an HTML page that asks for everything below ``prefix``, with the script in its head."""
    path = prefix.encode()
    moved = move_css(
        _ATTRIBUTE.sub(lambda found: found["name"] + found["quote"] + path + b"/", body), prefix
    )
    # As JSON, with no "</" that could end the script.
    text = json.dumps(prefix).replace("<", "\\u003c")
    script = (_SCRIPT % (text, port)).encode()
    place = _HEAD.search(moved) or _DOCTYPE.match(moved)
    at = place.end() if place else 0
    return moved[:at] + script + moved[at:]
