"""Redact requests to the callback listener: rebuild them from the parts that decide what they mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from ..callback import responses
from ..callback.issued_client import MAX_ISSUED_ID
from ..callback.judgement import CallbackRules
from ..callback.pasted import PasteProblem, pasted_query
from ..callback.requests import (
    MAX_TARGET,
    PASTE_HEADER,
    PREFETCH_HEADERS,
    PREFETCH_WORDS,
    is_of_browser,
    is_start_path,
    is_success_path,
    read_query,
    split_target,
)
from ..login.events import CallbackArrived
from .placeholders import SECRETS

if TYPE_CHECKING:
    from ..base.http import Headers
    from ..login.events import RequestReceived
    from ..model.options import LoginSecrets
    from ..model.provider import Provider
    from .placeholders import Placeholders

_METHODS: Final = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"CONNECT", b"TRACE", b"PATCH"})
_PLAIN_PATHS: Final = frozenset({b"/", b"/favicon.ico", b"/robots.txt"})
_OTHER_PATHS: Final = (b"/other", b"/another")
"""Stand for all unknown paths. The second is used if the first is the callback path."""
_UNREADABLE_QUERY: Final = b"state=a&state=a"
_OWN_AUTHORITY: Final = re.compile(rb"|(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?")
"""The names of this machine. Other names are not recorded."""
_FETCH_HEADERS: Final = frozenset(b"sec-fetch-" + name for name in (b"site", b"mode", b"dest", b"user"))
_OTHER: Final = b"other"


class Requests:
    """Redacts the requests of one login.

    Args:
        provider: The real provider.
        public: The provider in the trace. Its addresses and names are not secret.
        placeholders: The placeholders of the login.
        secrets: The real secrets of the login.
    """

    def __init__(self, provider: Provider, public: Provider, placeholders: Placeholders, secrets: LoginSecrets) -> None:
        self._provider = provider
        self._public = public
        self._placeholders = placeholders
        self._secrets = secrets

    def request(self, request: RequestReceived | CallbackArrived) -> RequestReceived | CallbackArrived:
        """Return a request that means the same for the login, without secrets."""
        if isinstance(request, CallbackArrived):
            # A longer query has not this login's state, whatever is in it.
            query = self._query(request.query) if len(request.query) <= MAX_TARGET else _UNREADABLE_QUERY
            return request.__replace__(query=query)
        return request.__replace__(
            method=request.method if request.method in _METHODS else b"OTHER",
            target=self._target(request.target),
            headers=self._headers(request.headers),
        )

    def paste(self, text: str, port: int) -> str:
        """Return a pasted text that means the same for the login, without secrets.

        Args:
            text: The pasted text.
            port: The callback port of the login.
        """
        rules = CallbackRules(provider=self._provider, port=port, state=self._secrets.state)
        query = pasted_query(text, rules)
        if isinstance(query, PasteProblem):
            return {
                PasteProblem.AUTHORIZATION_REQUEST: self._authorization_request(),
                PasteProblem.OTHER_ADDRESS: "https://other.invalid/",
                PasteProblem.INCOMPLETE: f"127.0.0.1:{port}/",
            }.get(query, "other")
        parameters = read_query(query)
        if parameters is None:
            return "?" + _UNREADABLE_QUERY.decode("ascii")
        redacted = self._redacted(parameters)
        if "state" in redacted:
            redacted["state"] = self._placeholders.pasted_state(parameters["state"])
        return "?" + urlencode(redacted)

    def _authorization_request(self) -> str:
        endpoint = self._public.authorization_endpoint
        # With a query, the endpoint alone would not be seen as an authorization request.
        return f"{endpoint}&response_type=code" if "?" in endpoint else endpoint

    def _redacted(self, parameters: dict[str, str]) -> dict[str, str]:
        """Return the parameters of a callback that are read, redacted."""
        return {name: self._parameter(name, value) for name, value in parameters.items() if name in _READ}

    def _target(self, target: bytes) -> bytes:
        authority, origin_form = split_target(target)
        prefix = b"" if authority is None else b"http://" + self._authority(authority)
        path, mark, query = origin_form.partition(b"?")
        if path == self._provider.request_path.encode():
            return prefix + path + mark + self._query(query)
        if path in _PLAIN_PATHS or path == responses.CANCEL_PATH.encode():
            return prefix + path
        if is_success_path(path, responses.success_path(self._secrets)):
            return prefix + responses.success_path(SECRETS).encode("ascii")
        if is_start_path(path, responses.start_path(self._secrets)):
            return prefix + responses.start_path(SECRETS).encode("ascii")
        return prefix + next(other for other in _OTHER_PATHS if other != self._provider.request_path.encode())

    def _query(self, query: bytes) -> bytes:
        """Return the query of a callback that means the same for the login, without secrets."""
        parameters = read_query(query)
        return _UNREADABLE_QUERY if parameters is None else urlencode(self._redacted(parameters)).encode("ascii")

    def _parameter(self, name: str, value: str) -> str:
        if name == "state":
            return self._placeholders.of("foreign-state", value)
        if name == "code":
            return self._placeholders.of("code", value)
        if name == "client_id":
            return self._client(value)
        if name == "iss":
            return self._placeholders.issuer(value, self._provider.issuer)
        return self._placeholders.word("error", value) if name == "error" else self._denial(value)

    def _client(self, value: str) -> str:
        """Return a client id that is compared with ours, and may be cut off in a pasted address."""
        dialect, ours = self._provider.dialect, self._provider.client_id
        if value == dialect.bootstrap_client_id or (not ours and dialect.issued_prefix.startswith(value)):
            return value
        if ours and ours != value and ours.startswith(value):
            return self._public.client_id[:-1]
        return self._placeholders.code("client", value, MAX_ISSUED_ID)

    def _denial(self, description: str) -> str:
        marker = self._provider.dialect.no_entitlement_marker
        return marker if marker and marker in description else self._placeholders.text(description)

    def _authority(self, authority: bytes) -> bytes:
        authority = authority.strip().lower()
        return authority if _OWN_AUTHORITY.fullmatch(authority) else b"other.invalid"

    def _headers(self, headers: Headers) -> Headers:
        kept = []
        for name, value in headers:
            name = name.lower()  # noqa: PLW2901 - names have no case
            if name == b"host":
                kept.append((name, self._authority(value)))
            elif name in PREFETCH_HEADERS:
                kept.append((name, next((word for word in PREFETCH_WORDS if word in value.lower()), _OTHER)))
            elif name == PASTE_HEADER:
                kept.append((name, b"1"))
            elif name == b"user-agent":
                kept.append((name, b"Mozilla/5.0" if is_of_browser(name, value) else _OTHER))
            elif is_of_browser(name, value):
                # The presence of the field shows that a browser sent the request.
                kept.append(
                    (b"sec-fetch-other" if name.startswith(b"sec-") and name not in _FETCH_HEADERS else name, _OTHER)
                )
        return tuple(kept)


_READ: Final = ("code", "state", "client_id", "iss", "error", "error_description")
"""The parameters of a callback that are read. The others are dropped."""
