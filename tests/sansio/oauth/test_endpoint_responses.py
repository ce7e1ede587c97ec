"""How documents, and the responses of endpoints that create something, are read."""

from __future__ import annotations

import pytest

from loginmachine.sansio.oauth.endpoint_responses import DocumentProblem, read_created, read_document
from loginmachine.sansio.oauth.responses import Malformed, Rejected

from ..samples import answer

HTML = ((b"Content-Type", b"text/html"),)
WEB_PAGE = "a web page instead of an answer: a sign-in page of the network?"


def test_a_document() -> None:
    assert read_document(answer(1, 200, b'{"keys": [], "n": 1}')) == {"keys": [], "n": 1}


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (200, b"<html>", WEB_PAGE),
        (200, b"[]", "the answer cannot be read: not a JSON object"),
        (200, b'{"a": 1, "a": 2}', "the answer cannot be read: a duplicate member"),
        (200, b'{"a": NaN}', "the answer cannot be read: a number that JSON does not know"),
        (200, b'{"a":' * 100_000, "the answer cannot be read: nested too deeply"),
        (200, b" " * (1024 * 1024 + 1), "the answer is larger than 1 MiB"),
        (200, b'{"error": "canary_error"}', "status 200: canary_error"),
        (204, b"", "the provider answered with status 204, and a document comes with 200"),
        (206, b"{}", "the provider answered with status 206, and a document comes with 200"),
        (301, b"{}", "the endpoint answered with a redirect (301), which is never followed"),
        (308, b"", "the endpoint answered with a redirect (308), which is never followed"),
        (403, b"<html>", "status 403, a web page instead of an answer"),
        (410, b"", "status 410"),
        (503, b"", "status 503, the provider has a problem"),
    ],
)
def test_no_document(status: int, body: bytes, message: str) -> None:
    assert read_document(answer(1, status, body)) == DocumentProblem(message=message)


def test_a_document_that_is_missing() -> None:
    assert read_document(answer(1, 404, b"")) == DocumentProblem(message="status 404", is_missing=True)
    problem = DocumentProblem(message="status 404, a web page instead of an answer", is_missing=True)
    assert read_document(answer(1, 404, b"<html>", HTML)) == problem


@pytest.mark.parametrize("status", [200, 201])
def test_something_was_created(status: int) -> None:
    assert read_created(answer(1, status, b'{"client_id": "c"}'), ()) == {"client_id": "c"}


@pytest.mark.parametrize("status", [202, 203, 204, 206, 299])
def test_other_statuses_are_no_success(status: int) -> None:
    message = f"the endpoint answered with status {status}, and a success has 201"
    assert read_created(answer(1, status, b"{}"), ()) == Malformed(message=message)


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (201, b"<html>", Malformed(message=WEB_PAGE)),
        (302, b"", Malformed(message="the endpoint answered with a redirect (302), which is never followed")),
        (201, b'{"error": "invalid_request"}', Rejected(message="status 201: invalid_request")),
        (400, b'{"error": "e", "error_description": "canary"}', Rejected(message="status 400: e: [redacted]")),
        (401, b"", Rejected(message="status 401")),
    ],
)
def test_nothing_was_created(status: int, body: bytes, result: Rejected | Malformed) -> None:
    assert read_created(answer(1, status, body), ("canary",)) == result
