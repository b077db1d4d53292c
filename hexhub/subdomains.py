"""One address for each student's pages, where there is a wildcard name.

With ``learn.example.org``, HexHub's own pages are at that name and the machines of ada at
``ada.learn.example.org``. For a browser these are different origins, so that a page that ada's
machine serves reads nothing of other students and nothing of HexHub.

Design choices: JupyterHub's own hook gives each service a name of its own, too, and makes names of
users that are no host names by a hash of 28 bits, for which somebody who may choose their name
finds a double in a moment: two students would share one origin. Here, HexHub's pages stay at the
name of the hub, so that they and JupyterHub's own link to each other by paths and need one log-in,
and hashes have 96 bits. Only students' machines are to be kept apart; pages and hub trust each
other anyway.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from hexhub.errors import SetupError

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})+")
_PLAIN_USER = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
_SLUG_LENGTH = 12
_HASH_LENGTH = 24
_EXAMPLE = "https://learn.example.org"


@dataclass(frozen=True)
class SubdomainHost:
    """The name below which every student has one.

    Attributes:
        scheme: ``https`` or ``http``, as browsers see it.
        name: Such as ``learn.example.org``.
        port: As browsers see it; None where it is the scheme's own.
    """

    scheme: str
    name: str
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> "SubdomainHost":
        """Read ``https://NAME[:PORT]``.

        Raises:
            SetupError: It is something else, or an IP address, below which there are no names.
        """
        refusal = SetupError(
            f"'{text}' is no address for subdomains. It takes a wildcard name of yours with its "
            f"scheme, such as {_EXAMPLE}; on this computer alone http://hexhub.localhost:8000."
        )
        try:
            parts = urlsplit(text)
            name, port = parts.hostname or "", parts.port
        except ValueError as exc:
            raise refusal from exc
        has_more = parts.path.strip("/") or parts.query or parts.fragment or parts.username
        is_number = name.rsplit(".", 1)[-1].isdigit()
        if (
            parts.scheme not in ("http", "https")
            or has_more
            or is_number
            or not _HOST_NAME.fullmatch(name)
        ):
            raise refusal
        return cls(parts.scheme, name, port)

    @property
    def netloc(self) -> str:
        """Name and port, as in the header ``Host``."""
        return self.name if self.port is None else f"{self.name}:{self.port}"

    @property
    def url(self) -> str:
        """Origin of HexHub's pages, without a slash at its end."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def is_https(self) -> bool:
        """Tell whether cookies can be kept from being planted by other names (``__Host-``)."""
        return self.scheme == "https"


def place_pages(name: str, domain: str, kind: str) -> str:
    """Give the host name of a user's machines or of a service: JupyterHub's ``subdomain_hook``.

    Two users never have the same: a plain name stands as it is and never holds two dashes in a
    row, and every other one ends in two dashes and a hash.

    Args:
        name: Of user or service.
        domain: Name of the hub.
        kind: ``user`` or ``service``.
    """
    if kind == "service":
        return domain
    if _PLAIN_USER.fullmatch(name) and "--" not in name:
        return f"{name}.{domain}"
    slug = re.sub(r"[^a-z0-9]+", "", name.lower())[:_SLUG_LENGTH] or "x"
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH_LENGTH]
    return f"u-{slug}--{digest}.{domain}"


def gate_routes(gateways: Iterable[str], prefix: str, service_url: str) -> Mapping[str, str]:
    """Give the proxy's routes by which machines reach our API: they know the host by its address.

    Args:
        gateways: Addresses of the host on the students' networks.
        prefix: Path of the web service, with both slashes.
        service_url: Where it listens.
    """
    return {f"{gateway}{prefix}": service_url for gateway in gateways}
