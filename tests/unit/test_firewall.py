import pytest

from hexhub.firewall import (
    Resolver,
    lacking_rules,
    make_rules,
    refused_resolvers,
    removal_text,
    setting_text,
)
from hexhub.machine_network import MachineNetwork

HUB_ID = "0123456789ab"
INTERNET = MachineNetwork("hexhub-012345", "hx012345", False, "172.20.0.1", "172.20.0.0/16")
ISOLATED = MachineNetwork(
    "hexhub-012345-isolated", "hx012345i", True, "172.21.0.1", "172.21.0.0/16"
)
RULES = make_rules(HUB_ID, (INTERNET, ISOLATED), 25_000)
REFUSE = "-j REJECT --reject-with icmp-admin-prohibited"
FOREIGN = """\
-P INPUT ACCEPT
-P FORWARD DROP
-N DOCKER-USER
-N HEXHUB-ffffff-HOST
-A INPUT -i lo -j ACCEPT
-A INPUT -i hxffffff -j HEXHUB-ffffff-HOST
-A DOCKER-USER -j RETURN
-A HEXHUB-ffffff-HOST -j REJECT --reject-with icmp-admin-prohibited
"""


def listing_of(rules):
    """Give what iptables -S would print with the rules set, beside those of others."""
    return FOREIGN + "\n".join(
        [*(f"-N {chain}" for chain in rules.chains), *rules.jumps, *rules.inside]
    )


def test_the_whole_firewall():
    """Two networks make exactly these rules; each jump names one of our bridges."""
    assert RULES.jumps == (
        "-A INPUT -i hx012345 -j HEXHUB-012345-HOST",
        "-A DOCKER-USER -i hx012345 -j HEXHUB-012345-OUT",
        "-A INPUT -i hx012345i -j HEXHUB-012345-HOST",
    )
    assert RULES.inside == (
        "-A HEXHUB-012345-HOST -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
        "-A HEXHUB-012345-HOST -d 172.20.0.1/32 -i hx012345 -p tcp -m tcp --dport 25000 -j ACCEPT",
        "-A HEXHUB-012345-HOST -d 172.21.0.1/32 -i hx012345i -p tcp -m tcp --dport 25000 -j ACCEPT",
        f"-A HEXHUB-012345-HOST {REFUSE}",
        f"-A HEXHUB-012345-OUT -d 169.254.0.0/16 {REFUSE}",
        f"-A HEXHUB-012345-OUT -d 10.0.0.0/8 {REFUSE}",
        f"-A HEXHUB-012345-OUT -d 172.16.0.0/12 {REFUSE}",
        f"-A HEXHUB-012345-OUT -d 192.168.0.0/16 {REFUSE}",
        f"-A HEXHUB-012345-OUT -d 100.64.0.0/10 {REFUSE}",
    )


def test_name_servers_are_reached_at_port_53_only():
    """A name server at a private address stands before the refusals, in the chain it needs."""
    rules = make_rules(
        HUB_ID, (INTERNET, ISOLATED), 25_000, [Resolver("10.0.0.2"), Resolver("192.168.1.5", True)]
    )
    added = [rule for rule in rules.inside if rule not in RULES.inside]
    assert added == [
        "-A HEXHUB-012345-HOST -d 192.168.1.5/32 -i hx012345 -p udp -m udp --dport 53 -j RETURN",
        "-A HEXHUB-012345-HOST -d 192.168.1.5/32 -i hx012345 -p tcp -m tcp --dport 53 -j RETURN",
        "-A HEXHUB-012345-OUT -d 10.0.0.2/32 -i hx012345 -p udp -m udp --dport 53 -j RETURN",
        "-A HEXHUB-012345-OUT -d 10.0.0.2/32 -i hx012345 -p tcp -m tcp --dport 53 -j RETURN",
    ]
    assert rules.inside.index(added[1]) < rules.inside.index(f"-A HEXHUB-012345-HOST {REFUSE}")
    assert rules.inside.index(added[3]) < rules.inside.index(
        f"-A HEXHUB-012345-OUT -d 10.0.0.0/8 {REFUSE}"
    )


@pytest.mark.parametrize(
    ("texts", "refused"),
    [
        (["nameserver 10.0.0.2\nnameserver 8.8.8.8\n"], ["10.0.0.2"]),
        (["nameserver 127.0.0.53\n", "nameserver 169.254.169.254\n"], ["169.254.169.254"]),
        (["nameserver 9.9.9.9\n", "nameserver 10.0.0.2\n"], []),
        (["# nameserver 10.0.0.2\nsearch lan\nnameserver fd00::1\nnameserver\n"], []),
        ([], []),
    ],
)
def test_which_name_servers_need_a_rule(texts, refused):
    """Those that Docker would hand to machines, as far as they are at a refused address."""
    assert refused_resolvers(texts) == refused


def test_nothing_lacks_however_the_rules_are_printed():
    """Versions of iptables print options in other orders, and leave out what is plain."""
    assert lacking_rules(RULES, listing_of(RULES)) == []
    printed_otherwise = (
        listing_of(RULES)
        .replace("-m tcp ", "")
        .replace("RELATED,ESTABLISHED", "ESTABLISHED,RELATED")
        .replace("-d 172.20.0.1/32 -i hx012345 ", "-i hx012345 -d 172.20.0.1 ")
    )
    assert lacking_rules(RULES, printed_otherwise) == []


@pytest.mark.parametrize("rule", [*RULES.jumps, *RULES.inside])
def test_each_rule_that_lacks_is_found(rule):
    """Whichever of the rules is taken away, it is named."""
    assert lacking_rules(RULES, listing_of(RULES).replace(rule, "")) == [rule]


def test_rules_in_the_wrong_order_or_too_many_are_found():
    """A refusal after which the gate is opened, or an opening of another's, is not what we set."""
    gate, refusal = RULES.inside[1], RULES.inside[3]
    turned = listing_of(RULES).replace(gate, "X").replace(refusal, gate).replace("X", refusal)
    assert lacking_rules(RULES, turned)
    assert lacking_rules(RULES, listing_of(RULES) + "\n-A HEXHUB-012345-OUT -j ACCEPT")


def test_setting_touches_nothing_of_others():
    """Every line is about our own chains, or inserts a jump for our own bridges."""
    lines = setting_text(RULES, FOREIGN).splitlines()
    assert lines[0] == "*filter"
    assert lines[-1] == "COMMIT"
    assert [line for line in lines if line.startswith("-I ")] == [
        jump.replace("-A", "-I") for jump in RULES.jumps
    ]
    for line in lines[1:-1]:
        assert "HEXHUB-012345-" in line
    again = setting_text(RULES, listing_of(RULES))
    assert "-I " not in again
    assert "-D " not in again


def test_jumps_of_a_network_that_is_gone_are_removed():
    """A jump of ours that is not wanted any more goes."""
    old = listing_of(RULES) + "\n-A INPUT -i hxold -j HEXHUB-012345-HOST"
    lines = setting_text(RULES, old).splitlines()
    assert [line for line in lines if line.startswith("-D ")] == [
        "-D INPUT -i hxold -j HEXHUB-012345-HOST"
    ]


def test_removing_takes_all_of_ours_and_nothing_else():
    """The jumps go first, then what is in the chains, then the chains; without rules, nothing."""
    assert removal_text(HUB_ID, FOREIGN) == ""
    assert removal_text(HUB_ID, listing_of(RULES)).splitlines() == [
        "*filter",
        *(jump.replace("-A", "-D") for jump in RULES.jumps),
        "-F HEXHUB-012345-HOST",
        "-F HEXHUB-012345-OUT",
        "-X HEXHUB-012345-HOST",
        "-X HEXHUB-012345-OUT",
        "COMMIT",
    ]
