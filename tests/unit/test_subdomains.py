import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexhub.errors import SetupError
from hexhub.subdomains import SubdomainHost, place_pages

DOMAIN = "learn.example.org"


@pytest.mark.parametrize(
    ("text", "netloc", "is_https"),
    [
        ("https://learn.example.org", "learn.example.org", True),
        ("https://Learn.Example.org:8443/", "learn.example.org:8443", True),
        ("http://hexhub.localhost:8000", "hexhub.localhost:8000", False),
    ],
)
def test_a_wildcard_name_is_read(text, netloc, is_https):
    """Scheme, name and port are taken; a slash at the end and capitals are nothing."""
    host = SubdomainHost.parse(text)
    assert (host.netloc, host.is_https) == (netloc, is_https)
    assert host.url == f"{host.scheme}://{netloc}"


@pytest.mark.parametrize(
    "text",
    [
        *("", "learn.example.org", "ftp://learn.example.org", "http://localhost:8000"),
        *("https://192.0.2.7", "https://[::1]:8000", "https://learn.example.org/hub"),
        *("https://learn_er.example.org", "https://a@learn.example.org", "https://x.org:port"),
        *("https://*.learn.example.org", "https://learn.example.org?x"),
    ],
)
def test_what_has_no_names_below_it_is_refused(text):
    """Without scheme, as an address, with a path: each is refused with an example of how."""
    with pytest.raises(SetupError, match=r"https://learn\.example\.org"):
        SubdomainHost.parse(text)


def test_plain_names_stay_readable_and_pages_stay_at_the_hub():
    """A student sees their own name in the address; HexHub's pages are where the hub is."""
    assert place_pages("ada", DOMAIN, "user") == "ada.learn.example.org"
    assert place_pages("ada-1", DOMAIN, "user") == "ada-1.learn.example.org"
    assert place_pages("hexhub", DOMAIN, "service") == DOMAIN


USERS = st.one_of(
    st.text(min_size=1, max_size=120),
    st.from_regex(r"[a-z0-9.-]{1,50}", fullmatch=True),
    st.from_regex(r"u-[a-z0-9]{1,12}--[0-9a-f]{24}", fullmatch=True),
)


@given(USERS, USERS)
def test_any_two_users_have_two_host_names(one, other):
    """Each name gives a valid host name of its own, whatever somebody calls themselves."""
    labels = [place_pages(name, DOMAIN, "user").removesuffix(f".{DOMAIN}") for name in (one, other)]
    for label in labels:
        assert re.fullmatch(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", label)
        assert label[2:4] != "--"
    assert (labels[0] == labels[1]) == (one == other)


@given(USERS)
def test_a_host_name_is_nobody_elses_user_name(name):
    """Who takes the made-up name of another as their own is placed elsewhere."""
    label = place_pages(name, DOMAIN, "user").removesuffix(f".{DOMAIN}")
    assert label == name or place_pages(label, DOMAIN, "user") != place_pages(name, DOMAIN, "user")
