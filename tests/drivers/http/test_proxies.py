"""The one proxy that applies to an endpoint, from the environment."""

from __future__ import annotations

import sys
import urllib.request

import pytest

from loginmachine import LoginError, ProxyError
from loginmachine.drivers.http.proxies import Proxy, is_this_machine, proxy_for

URL = "https://auth.provider.example/oauth/token"
PROXY = "http://proxy.example:3128"
SOCKS = "socks5://127.0.0.1:1080"


def shown(url: str = URL) -> str | None:
    proxy = proxy_for(url)
    return None if proxy is None else f"{proxy.variable} {proxy.url}"


def test_no_variable_is_set() -> None:
    assert proxy_for(URL) is None


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"https_proxy": PROXY}, f"https_proxy {PROXY}"),
        ({"HTTPS_PROXY": PROXY}, f"HTTPS_PROXY {PROXY}"),
        ({"Https_Proxy": PROXY}, f"Https_Proxy {PROXY}"),
        ({"ALL_PROXY": PROXY}, f"ALL_PROXY {PROXY}"),
        ({"https_proxy": PROXY, "HTTPS_PROXY": SOCKS}, f"https_proxy {PROXY}"),
        ({"HTTPS_PROXY": PROXY, "all_proxy": SOCKS}, f"HTTPS_PROXY {PROXY}"),
        ({"https_proxy": PROXY, "all_proxy": "canary://canary"}, f"https_proxy {PROXY}"),
        ({"https_proxy": PROXY, "http_proxy": "http://canary:canary"}, f"https_proxy {PROXY}"),
        ({"http_proxy": PROXY}, None),
        ({"https_proxy": "", "HTTPS_PROXY": PROXY}, None),
        ({"https_proxy": " ", "all_proxy": PROXY}, f"all_proxy {PROXY}"),
        ({"TRAVIS_APT_PROXY": PROXY}, None),
    ],
)
def test_the_proxy_that_applies(
    variables: dict[str, str], expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert shown() == expected


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("http://proxy.example", "http://proxy.example:80"),
        ("proxy.example:3128", "http://proxy.example:3128"),
        ("proxy.example", "http://proxy.example:80"),
        ("HTTPS://Proxy.Example/", "https://proxy.example:443"),
        ("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128"),
        ("socks5://127.0.0.1", "socks5://127.0.0.1:1080"),
        ("socks5h://127.0.0.1:9050", "socks5h://127.0.0.1:9050"),
        ("socks://127.0.0.1:1080/", "socks5://127.0.0.1:1080"),
    ],
)
def test_the_address_of_a_proxy(value: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", value)
    assert shown() == f"https_proxy {url}"


@pytest.mark.parametrize(
    ("user_info", "user", "password"),
    [
        ("me:canary-password@", "me", "canary-password"),
        ("me@", "me", ""),
        (":canary-password@", "", "canary-password"),
        ("d%40me:canary%3Apassw%C3%B6rd@", "d@me", "canary:passw\u00f6rd"),
        ("me:canary@password@", "me", "canary@password"),
        ("", None, ""),
    ],
)
def test_the_password_of_a_proxy_is_not_shown(
    user_info: str, user: str | None, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://{user_info}proxy.example:3128")
    proxy = proxy_for(URL)
    assert proxy == Proxy(variable="HTTPS_PROXY", url=PROXY, user=user, password=password)
    assert str(proxy) == f"the proxy {PROXY} (HTTPS_PROXY)"
    assert "canary" not in repr(proxy)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("canary://me:canary@127.0.0.1:1080", "it is neither an http, https nor socks5 proxy"),
        ("socks4://canary:1080", "it is neither an http, https nor socks5 proxy"),
        ("http://me:canary@127.0.0.1:canary", "its address cannot be read"),
        ("http://me:can/ary@127.0.0.1:3128", "its address cannot be read"),
        ("http://[canary", "its address cannot be read"),
        ("http://127.0.0.1:70000", "its address cannot be read"),
        ("http://me:canary\udcff@127.0.0.1:3128", "its address cannot be read"),
        ("http://", "its address has no valid host"),
        ("http://me:canary@:3128", "its address has no valid host"),
        ("http://can ary:3128", "its address has no valid host"),
        ("http://canary$:3128", "its address has no valid host"),
    ],
)
def test_a_proxy_that_cannot_be_used(value: str, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", value)
    with pytest.raises(ProxyError) as caught:
        proxy_for(URL)
    assert str(caught.value) == f"the proxy that ALL_PROXY names cannot be used: {problem}"
    assert caught.value.__context__ is None
    assert isinstance(caught.value, LoginError)


def test_socks_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv("all_proxy", "socks5://me:canary@127.0.0.1:1080")
    words = 'the proxy that all_proxy names cannot be used: SOCKS needs one more package: install "loginmachine[socks]"'
    with pytest.raises(ProxyError) as caught:
        proxy_for(URL)
    assert str(caught.value) == words
    monkeypatch.setenv("https_proxy", PROXY)
    assert shown() == f"https_proxy {PROXY}"


# NO_PROXY

EXEMPT = [
    ("https://auth.provider.example/", "provider.example"),
    ("https://auth.provider.example/", "auth.provider.example"),
    ("https://auth.provider.example/", ".provider.example"),
    ("https://auth.provider.example/", "*.provider.example"),
    ("https://auth.provider.example/", "other.example,Provider.EXAMPLE"),
    ("https://auth.provider.example/", "other.example provider.example"),
    ("https://auth.provider.example/", "[::1], ::1/128 ,fd00::/8, provider.example."),
    ("https://auth.provider.example/", "example"),
    ("https://auth.provider.example/", "*"),
    ("https://auth.provider.example/", "localhost,*"),
    ("https://auth.provider.example/", "provider.example:443"),
    ("https://auth.provider.example:8443/", "provider.example:8443"),
    ("https://auth.provider.example/", "https://auth.provider.example"),
    ("https://provider.example./", "provider.example"),
    ("https://provider.example/", ".provider.example"),
    ("https://10.1.2.3/", "10.1.2.3"),
    ("https://10.1.2.3/", "10.0.0.0/8"),
    ("https://10.1.2.3/", "10.9.9.9/8"),
    ("https://10.1.2.3:8443/", "10.1.2.3:8443"),
    ("https://[fd00::1]/", "fd00::/8"),
    ("https://[fd00::1]/", "[fd00::]/8"),
    ("https://[fd00::1]/", "[fd00::1]"),
    ("https://[fd00::1]/", "fd00:0::1"),
    ("https://[fd00::1]:8443/", "[fd00::1]:8443"),
    ("https://[::ffff:10.1.2.3]/", "10.0.0.0/8"),
]
PROXIED = [
    ("https://auth.provider.example/", ""),
    ("https://auth.provider.example/", ",, ,"),
    ("https://auth.provider.example/", "."),
    ("https://auth.provider.example/", "vider.example"),
    ("https://auth.provider.example/", "other.auth.provider.example"),
    ("https://auth.provider.example/", "provider.example:8443"),
    ("https://auth.provider.example/", "http://auth.provider.example"),
    ("https://auth.provider.example/", "[::1]"),
    ("https://auth.provider.example/", "::1/128"),
    ("https://auth.provider.example/", "fd00::/8"),
    ("https://auth.provider.example/", "[, ]:, [::1, ://, a:b:c, 1.2.3.4/99, ::1/x, fe80::1%eth0, \u00e9, $(x), :443"),
    ("https://provider.example/", "*.provider.example"),
    ("https://1password.example/", "1.2.3.4"),
    ("https://10.1.2.3/", "11.0.0.0/8"),
    ("https://10.1.2.3/", "fd00::/8"),
    ("https://10.1.2.3/", "10.1.2.3:8443"),
    ("https://10.1.2.3/", "[, provider.example, 10.1.2.3/99"),
    ("https://[fd00::1]/", "fe80::/10"),
]


@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
@pytest.mark.parametrize(
    ("url", "entries", "is_exempt"), [(*case, True) for case in EXEMPT] + [(*case, False) for case in PROXIED]
)
def test_no_proxy(variable: str, url: str, entries: str, *, is_exempt: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", PROXY)
    monkeypatch.setenv(variable, entries)
    assert (proxy_for(url) is None) is is_exempt


def test_an_exempt_host_needs_no_usable_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "canary://canary")
    monkeypatch.setenv("no_proxy", "provider.example")
    assert proxy_for(URL) is None


# This machine

HERE = ["localhost", "a.localhost", "127.0.0.1", "127.255.1.2", "127.1", "0.0.0.0", "::1", "0:0:0:0:0:0:0:1", "::"]
HERE += ["::ffff:127.0.0.1"]
ELSEWHERE = [
    "localhost.example",
    "notlocalhost",
    "127.0.0.1.example",
    "127.example",
    "10.0.0.1",
    "",
    "::2",
    "fe80::1%x",
]


@pytest.mark.parametrize(("host", "expected"), [(h, True) for h in HERE] + [(h, False) for h in ELSEWHERE])
def test_the_names_of_this_machine(host: str, *, expected: bool) -> None:
    assert is_this_machine(host) is expected


@pytest.mark.parametrize("host", ["localhost", "LocalHost.", "x.localhost", "127.0.0.9", "[::1]", "[::ffff:127.0.0.1]"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_this_machine_has_no_proxy(scheme: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "canary://canary")
    assert proxy_for(f"{scheme}://{host}:8443/") is None


# The settings of Windows and macOS


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_the_settings_of_the_system(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(urllib.request, "getproxies", lambda: {"https": "proxy.example:3128", "no": "x"})
    assert shown() == f"the system's settings {PROXY}"
    monkeypatch.setenv("all_proxy", "http://other.example:1")
    assert shown() == "all_proxy http://other.example:1"
    monkeypatch.delenv("all_proxy")
    monkeypatch.setenv("http_proxy", "http://other.example:1")
    assert shown() is None
