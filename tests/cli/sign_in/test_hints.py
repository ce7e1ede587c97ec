"""What to do with a browser on another machine."""

from __future__ import annotations

import pytest

from loginmachine.cli.sign_in.hints import tunnel_command, ways


@pytest.mark.parametrize(
    ("variables", "command"),
    [
        ({}, None),
        ({"SSH_TTY": "/dev/pts/1"}, None),
        ({"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.7 22"}, "ssh -L 1455:127.0.0.1:1455 192.0.2.7"),
        (
            {"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.7 22", "USER": "ada"},
            "ssh -L 1455:127.0.0.1:1455 ada@192.0.2.7",
        ),
        (
            {"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.7 2222", "LOGNAME": "ada"},
            "ssh -p 2222 -L 1455:127.0.0.1:1455 ada@192.0.2.7",
        ),
        (
            {"SSH_CONNECTION": "fe80::1%eth0 50000 2001:db8::7%eth0 22", "USER": "ada"},
            "ssh -L 1455:127.0.0.1:1455 ada@2001:db8::7",
        ),
        # What a shell would run, or ssh take for an option.
        ({"SSH_CONNECTION": "a b 192.0.2.7 22", "USER": "$(x)"}, "ssh -L 1455:127.0.0.1:1455 192.0.2.7"),
        ({"SSH_CONNECTION": "a b 192.0.2.7 22", "USER": "-oProxyCommand"}, "ssh -L 1455:127.0.0.1:1455 192.0.2.7"),
        ({"SSH_CONNECTION": "a b $(x) 22", "USER": "ada"}, None),
        ({"SSH_CONNECTION": "a b 192.0.2.7 22;x"}, None),
        ({"SSH_CONNECTION": "a b 192.0.2.7"}, None),
    ],
)
def test_the_tunnel(variables: dict[str, str], command: str | None) -> None:
    assert tunnel_command(1455, variables) == command


def test_over_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.7 22")
    monkeypatch.setenv("USER", "ada")
    assert ways("a session over SSH", 1457, "here", has_device_codes=True, can_be_published=True) == [
        "This looks like a session over SSH. A browser on another machine works, too, in one of 3 ways:",
        "- Open the address there. It ends on a page that cannot be reached: paste that page's address here.",
        "- Run this on your own machine (with the name that this host has there), then open the address there:",
        "  ssh -L 1457:127.0.0.1:1457 ada@192.0.2.7",
        "- Stop this (Ctrl-C), and run the same command with --device-code added.",
    ]


def test_in_a_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    assert ways("a container", 1455, "here", has_device_codes=False, can_be_published=True) == [
        "This looks like a container. A browser on another machine works, too, in one of 2 ways:",
        "- Open the address there. It ends on a page that cannot be reached: paste that page's address here.",
        "- Publish the port of the container, and add two options to the same command. Then open the address:",
        "  docker run -p 127.0.0.1:1455:1455 ...",
        "  --port 1455 --listen-address 0.0.0.0",
    ]
    (line,) = ways("a container", 1455, "here", has_device_codes=False, can_be_published=False)
    begin = "This looks like a container. A browser on another machine works, too. "
    assert line == f"{begin}It ends on a page that cannot be reached: paste that page's address here."
