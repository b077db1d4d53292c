"""Clients trust the usual authorities or nobody; never everybody."""

import ssl

from hexhub.certificates import trusted_by


def test_https_is_verified_as_ever() -> None:
    """Where certificates are shown, httpx verifies them by the usual list."""
    assert trusted_by("https://hub.example.org/hub/api") is True


def test_nobody_is_trusted_by_a_client_for_http() -> None:
    """A certificate that turns up all the same must be verified, by a list of none."""
    context = trusted_by("http://127.0.0.1:8081/hub/api")
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.cert_store_stats()["x509_ca"] == 0
