"""Requests as bytes, and the exceptions of httpx as failures. No text of an exception is used."""

from __future__ import annotations

import os
import socket
import ssl

import httpx
import pytest

from loginmachine.drivers.errors import TrustError
from loginmachine.drivers.http.client import encode_form, to_failure
from loginmachine.sansio.base.http import Encoding, HttpRequestFailed, TransportProblem


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
NOT_TRUSTED = "no connection: the certificate is not trusted (self-signed certificate)"
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
    (TrustError("canary"), CONNECT, "the certificate bundle cannot be used"),
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


FORM = (("code", "canary code/&="), ("code_verifier", "canary-verifier"), ("empty", ""))
BODY = b"code=canary+code%2F%26%3D&code_verifier=canary-verifier&empty="


def test_parameters_are_written_as_a_form_or_as_json() -> None:
    assert encode_form(FORM, Encoding.FORM) == (BODY, {"Content-Type": "application/x-www-form-urlencoded"})
    body = b'{"code": "canary code/&=", "code_verifier": "canary-verifier", "empty": ""}'
    assert encode_form(FORM, Encoding.JSON) == (body, {"Content-Type": "application/json"})
