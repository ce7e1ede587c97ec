"""Requests as bytes, and the exceptions of httpx as failures. No text of an exception is used."""

from __future__ import annotations

import os
import socket
import ssl

import httpx
import pytest

from loginmachine.drivers.errors import ProxyError, TrustError
from loginmachine.drivers.http.client import encode_request, timed_out, to_failure
from loginmachine.sansio.base.http import Encoding, HttpRequest, HttpRequestFailed, TransportProblem
from loginmachine.sansio.base.secret import Secret


def failed(kind: TransportProblem, message: str) -> HttpRequestFailed:
    return HttpRequestFailed(kind=kind, message=message)


REQUEST = httpx.Request("POST", "https://provider.example/oauth/token?canary", content=b"code=canary")


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


def certificate_error() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] canary")
    error.verify_message = "self-signed certificate"
    return error


CONNECT, TIMEOUT, BROKEN = TransportProblem.CONNECT, TransportProblem.TIMEOUT, TransportProblem.REQUEST
PLAIN = httpx.Request("POST", "http://127.0.0.1:1/oauth/token?canary", content=b"code=canary")
RESET = ConnectionResetError(104, "canary")
REFUSED = ConnectionRefusedError(111, "Connection refused")
PROXY_SETTINGS = "the proxy settings of this machine cannot be used"
MORE = "CODEX_CA_CERTIFICATE or SSL_CERT_FILE can name a file with more authorities"
TRUSTED = "CODEX_CA_CERTIFICATE, or else SSL_CERT_FILE, names a file with more authorities"
NOT_TRUSTED = f"no connection: the certificate is not trusted (self-signed certificate); {MORE}"
MEANINGS: list[tuple[Exception, TransportProblem, str]] = [
    (httpx.ConnectTimeout("canary", request=REQUEST), TIMEOUT, "no connection in time"),
    (httpx.ReadTimeout("canary", request=REQUEST), TIMEOUT, "no answer in time"),
    (httpx.WriteTimeout("canary", request=REQUEST), TIMEOUT, "no answer in time"),
    (httpx.PoolTimeout("canary", request=REQUEST), TIMEOUT, "no answer in time"),
    (httpx.ProxyError("canary", request=REQUEST), CONNECT, "the proxy refused the connection"),
    (httpx.ConnectError("canary", request=REQUEST), CONNECT, "no connection"),
    (caused(httpx.ConnectError("canary"), REFUSED), CONNECT, "no connection: Connection refused"),
    (caused(httpx.ConnectError("canary"), certificate_error()), CONNECT, NOT_TRUSTED),
    (caused(httpx.ConnectError("c"), ssl.SSLError(1, "canary")), CONNECT, "no connection: the TLS handshake failed"),
    (
        caused(httpx.ConnectError("canary"), socket.gaierror(-2, "canary")),
        CONNECT,
        "no connection: the name of the endpoint is not known",
    ),
    (TrustError("the bundle is bad"), CONNECT, "the bundle is bad"),
    (ProxyError("the proxy is bad"), CONNECT, "the proxy is bad"),
    (httpx.UnsupportedProtocol("canary", request=REQUEST), CONNECT, PROXY_SETTINGS),
    (httpx.InvalidURL("canary"), CONNECT, PROXY_SETTINGS),
    (ImportError("canary"), CONNECT, PROXY_SETTINGS),
    (ValueError("canary"), CONNECT, PROXY_SETTINGS),
    (httpx.RemoteProtocolError("canary"), BROKEN, "the answer is not HTTP, or it is incomplete"),
    (httpx.ReadError("canary", request=REQUEST), BROKEN, "the connection broke"),
    (httpx.WriteError("canary", request=REQUEST), BROKEN, "the connection broke"),
    (httpx.LocalProtocolError("canary", request=REQUEST), BROKEN, "the connection broke"),
    (OSError("canary"), BROKEN, "the connection broke"),
    (RuntimeError("canary"), BROKEN, "the request could not be made"),
    # A reset while connecting: with TLS it has refused to agree, without it was there already.
    (caused(httpx.ConnectError("c", request=REQUEST), RESET), CONNECT, f"no connection: {os.strerror(104)}"),
    (caused(httpx.ConnectError("c", request=PLAIN), RESET), BROKEN, f"the connection broke: {os.strerror(104)}"),
    (caused(httpx.ConnectError("c"), RESET), CONNECT, f"no connection: {os.strerror(104)}"),
    (
        caused(httpx.ConnectError("c", request=PLAIN), ExceptionGroup("all attempts failed", [RESET])),
        BROKEN,
        f"the connection broke: {os.strerror(104)}",
    ),
]


@pytest.mark.parametrize(("error", "kind", "message"), MEANINGS, ids=[type(error).__name__ for error, *_ in MEANINGS])
def test_what_an_exception_means(error: Exception, kind: TransportProblem, message: str) -> None:
    assert to_failure(error) == failed(kind, message)


def test_the_message_of_the_system_is_used() -> None:
    error = caused(httpx.ReadError("canary"), OSError(104, os.strerror(104)))
    assert to_failure(error).message == f"the connection broke: {os.strerror(104)}"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            httpx.ProxyError("407 canary"),
            "the proxy http://proxy:3128 (HTTPS_PROXY) refused the connection with status 407",
        ),
        (httpx.ProxyError("canary"), "the proxy http://proxy:3128 (HTTPS_PROXY) refused the connection"),
        (httpx.ConnectTimeout("canary"), "no connection in time through the proxy http://proxy:3128 (HTTPS_PROXY)"),
        (
            caused(httpx.ConnectError("canary"), socket.gaierror(-2, "canary")),
            "no connection through the proxy http://proxy:3128 (HTTPS_PROXY): the name of the proxy is not known",
        ),
    ],
)
def test_a_failure_names_the_proxy(error: Exception, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:canary@proxy:3128")
    assert to_failure(error, "https://provider.example/").message == words
    assert "(HTTPS_PROXY)" not in to_failure(error, "https://localhost/").message
    assert timed_out("https://provider.example/") == failed(
        TIMEOUT, "no complete answer in time through the proxy http://proxy:3128 (HTTPS_PROXY)"
    )
    assert timed_out("https://localhost/") == failed(TIMEOUT, "no complete answer in time")


def test_the_proxy_has_become_unusable_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "canary://me:canary@proxy:3128")
    assert to_failure(httpx.ReadTimeout("canary"), "https://x.example/").message == "no answer in time"


IGNORED = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ([], MORE),
        (["SSL_CERT_FILE"], f"{TRUSTED}: SSL_CERT_FILE is used"),
        (["CODEX_CA_CERTIFICATE", "SSL_CERT_FILE"], f"{TRUSTED}: CODEX_CA_CERTIFICATE is used"),
        (IGNORED[1:2], f"{MORE}; CURL_CA_BUNDLE is set and not used"),
        (IGNORED[1:], f"{MORE}; CURL_CA_BUNDLE and NODE_EXTRA_CA_CERTS are set and not used"),
        (
            ["SSL_CERT_FILE", *IGNORED],
            f"{TRUSTED}: SSL_CERT_FILE is used; {IGNORED[0]}, {IGNORED[1]} and {IGNORED[2]} are set and not used",
        ),
    ],
)
def test_a_certificate_failure_names_the_variables(
    variables: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in variables:
        monkeypatch.setenv(name, "/canary.pem")
    error = caused(httpx.ConnectError("canary"), certificate_error())
    assert to_failure(error).message == NOT_TRUSTED.replace(MORE, words)


FORM = (("code", "canary code/&="), ("code_verifier", "canary-verifier"), ("empty", ""))
BODY = b"code=canary+code%2F%26%3D&code_verifier=canary-verifier&empty="


def test_parameters_are_written_as_a_form_or_as_json() -> None:
    form = HttpRequest(url="https://provider.example/oauth/token", form=FORM, timeout=1.0)
    assert encode_request(form) == ("POST", BODY, {"Content-Type": "application/x-www-form-urlencoded"})
    body = b'{"code": "canary code/&=", "code_verifier": "canary-verifier", "empty": ""}'
    assert encode_request(form.__replace__(encoding=Encoding.JSON)) == (
        "POST",
        body,
        {"Content-Type": "application/json"},
    )


def test_several_values_are_repeated_in_a_form_and_a_list_in_json() -> None:
    request = HttpRequest(
        url="https://provider.example/oauth/token", form=(("resource", ("a", "b")), ("x", "y")), timeout=1.0
    )
    assert encode_request(request).content == b"resource=a&resource=b&x=y"
    assert encode_request(request.__replace__(encoding=Encoding.JSON)).content == b'{"resource": ["a", "b"], "x": "y"}'


def test_a_request_without_parameters_is_a_get_request_without_a_body() -> None:
    assert encode_request(HttpRequest(url="https://provider.example/oauth/token", method="GET", timeout=1.0)) == (
        "GET",
        b"",
        {},
    )


def test_the_authorization_is_a_header_field_that_is_shown_nowhere() -> None:
    request = HttpRequest(
        url="https://provider.example/oauth/token", form=(), timeout=1.0, authorization=Secret("Basic canary")
    )
    assert encode_request(request).headers["Authorization"] == "Basic canary"
    assert "canary" not in repr(request)
