"""Who speaks, made of what JupyterHub says."""

from typing import Any

import pytest

from hexhub.errors import AccessDenied, LoginRequired
from hexhub.service.identity import identity_of

SERVICE = "access:services!service=hexhub"


def model(*scopes: str, **more: Any) -> dict[str, Any]:
    return {"kind": "user", "name": "ada", "groups": ["g"], "scopes": list(scopes), **more}


def test_person_by_cookie() -> None:
    """A log-in by browser is the person, with their groups and all their lessons."""
    identity = identity_of(model(SERVICE), has_token=False)

    assert (identity.user, identity.groups, identity.servers) == ("ada", {"g"}, None)


def test_token_of_a_server_is_bound_to_it() -> None:
    """A token that names a server of its owner opens that one only, whatever else it may do."""
    scopes = (SERVICE, "access:servers!server=ada/first-1", "read:users!user=ada")

    assert identity_of(model(*scopes), has_token=True).servers == {"first-1"}


def test_servers_of_others_do_not_count() -> None:
    """A shared server of somebody else does not make a token speak for that lesson."""
    identity = identity_of(model(SERVICE, "access:servers!server=bob/x"), has_token=True)

    assert identity.servers is None
    with pytest.raises(AccessDenied):
        identity_of(model("access:servers!server=ad/x"), has_token=True)


def test_names_that_begin_alike_are_different() -> None:
    """The user's whole name counts: ``ada`` is not bound by a server of ``ada-2``."""
    scopes = (SERVICE, "access:servers!server=ada-2/x")

    assert identity_of(model(*scopes), has_token=True).servers is None


def test_nobody_must_log_in() -> None:
    """Where JupyterHub knows nobody, the answer is to log in."""
    with pytest.raises(LoginRequired):
        identity_of(None, has_token=True)


@pytest.mark.parametrize("has_token", [True, False])
def test_without_the_scope_nothing_opens(has_token: bool) -> None:
    """A user who may not use the service is refused, and a service is no user."""
    with pytest.raises(AccessDenied):
        identity_of(model("read:users:name!user=ada"), has_token=has_token)
    with pytest.raises(AccessDenied):
        identity_of(model(SERVICE, kind="service"), has_token=has_token)
