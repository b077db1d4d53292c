"""IPv6 link-local addresses of the host's ends of the machines' network, which are taken away.

Design choices: the kernel gives each new port of a bridge an address of its own, two seconds after
a machine was started. Nobody uses it: machines have IPv4 only. But a browser on this very computer
takes it for a change of the network and drops all requests that are under way
(``net::ERR_NETWORK_CHANGED``), and two seconds after its start is when a student's JupyterLab
loads: style sheets and scripts were missing at random. Docker has no option for it, and
``net.ipv6.conf.default`` would be a change of the whole computer, so each port is told by itself,
before the address is there. That takes root on the computer of the machines. Where the hub is not
root, or Docker is elsewhere, nothing is done; a browser on another computer notices nothing anyway.
"""

import contextlib
from pathlib import Path

_INTERFACES = Path("/sys/class/net")
_SETTINGS = Path("/proc/sys/net/ipv6/conf")


def drop_link_local(bridge: str) -> None:
    """Keep the kernel from giving IPv6 addresses to a bridge and its ports.

    Args:
        bridge: Name of the interface; where there is none of it, nothing is done.
    """
    names = [bridge]
    with contextlib.suppress(OSError):
        names += [port.name for port in (_INTERFACES / bridge / "brif").iterdir()]
    for name in names:
        # Not root, no IPv6, or the machine has ended in this moment.
        with contextlib.suppress(OSError):
            setting = _SETTINGS / name / "disable_ipv6"
            if setting.read_text().strip() != "1":
                setting.write_text("1")
