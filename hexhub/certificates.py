"""Whose certificates a client trusts.

Design choices: httpx reads the whole list of authorities for every client, which holds a process
up by 50 ms. The parts of HexHub speak HTTP to each other, on loopback, where nobody shows a
certificate.
"""

import ssl


def trusted_by(url: str) -> ssl.SSLContext | bool:
    """Give ``verify`` of an httpx client for a URL: the usual authorities for https, else nobody.

    A redirect from ``http`` to ``https`` is thereby refused, and not trusted.
    """
    return True if url.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
