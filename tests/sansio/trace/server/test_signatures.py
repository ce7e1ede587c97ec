"""The signatures of a trace: the second machine verifies them, and comes to the same result as the real one."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine.sansio import LoginOptions
from loginmachine.sansio.base.secret import Secret
from loginmachine.sansio.login.events import Bound, Started
from loginmachine.sansio.oauth.keys import KeySet, KeyUnknown, SignatureRefused, read_keys, verify_signature
from loginmachine.sansio.trace.placeholders import Placeholders
from loginmachine.sansio.trace.server.signatures import Signatures

from ....traces.server_samples import OPENID, PORT, came_back, id_token, json_answer, keys, metadata, tokens
from ...oauth.test_keys import EC, OKP, RFC_TOKENS, RSA, encoded, public, signed
from ...samples import SECRETS, answer
from ..beside import Beside

if TYPE_CHECKING:
    from loginmachine.sansio.login.events import Event

PAYLOAD = encoded({"placeholder": "redacted-id-token-1"})
ALGORITHMS = ("RS256", "ES256", "EdDSA")
OK = ""
WRONG = "its signature is wrong: no key of the provider has made it"
UNKNOWN = "the provider has no key with the name (kid) that its header gives"
UNFIT = "the provider has no key for its algorithm (alg)"


def verdict(token: str, found: KeySet, algorithms: tuple[str, ...] = ALGORITHMS) -> str:
    try:
        verify_signature(Secret(token), found, algorithms)
    except (SignatureRefused, KeyUnknown) as error:
        return str(error)
    return OK


def key_set(*listed: dict[str, Any]) -> KeySet:
    found = read_keys(answer(body=json.dumps({"keys": listed}).encode()))
    assert isinstance(found, KeySet)
    return found


def redacted_verdict(token: str, found: KeySet, *, token_first: bool, algorithms: tuple[str, ...] = ALGORITHMS) -> str:
    """Return what the second machine finds, if the token comes before the keys, or after them."""
    signatures = Signatures(Placeholders(SECRETS))
    signatures.algorithms = algorithms
    told = ""
    listed: list[Any] = []
    for is_token in (token_first, not token_first):
        if is_token:
            told = signatures.token(token, PAYLOAD)
        else:
            listed = signatures.keys(found)
        signatures.settle(counts=True)
    return verdict(told, key_set(*listed), (*algorithms, "EdDSA"))


GOOD = signed("ES256", kid="canary-1")
KEY = public("ES256", kid="canary-1")


@pytest.mark.parametrize("token_first", [False, True], ids=["keys first", "token first"])
@pytest.mark.parametrize(
    ("token", "listed", "expected"),
    [
        (GOOD, (KEY,), OK),
        (GOOD, ({**KEY, "kid": "other"}, KEY), OK),
        (signed("ES256"), (KEY,), OK),
        (signed("RS256"), (public("RS256"),), OK),
        (GOOD, ({**KEY, "kid": None},), OK),
        (RFC_TOKENS["EdDSA"], (OKP,), OK),
        (GOOD, (public("ES256", 2, kid="canary-1"),), WRONG),
        (GOOD, ({**KEY, "kid": "other"},), UNKNOWN),
        (GOOD, (), UNKNOWN),
        (signed("ES256"), (), UNFIT),
        (GOOD, ({**RSA, "kid": "canary-1"},), UNFIT),
        (f"{encoded({'alg': 'none'})}.{PAYLOAD}.", (KEY,), "it is not signed (alg is none)"),
        (
            f"{encoded({'alg': 'HS256', 'kid': 'canary-1'})}.{PAYLOAD}.{encoded(b'canary')}",
            (KEY,),
            "its algorithm (alg) is none of those with public keys",
        ),
        (
            f"{encoded({'alg': 'canary'})}.{PAYLOAD}.",
            (KEY,),
            "its algorithm (alg) is none of those with public keys",
        ),
        (f"{encoded({})}.{PAYLOAD}.", (KEY,), "its algorithm (alg) is none of those with public keys"),
        (signed("ES384"), (KEY,), "its algorithm (alg) is none of those that are accepted from this provider"),
        (
            f"{encoded({'alg': 'ES256', 'crit': ['canary']})}.{PAYLOAD}.",
            (KEY,),
            "its header has an extension that must be understood (crit), and none is known here",
        ),
        (f"!canary.{PAYLOAD}.", (KEY,), "its header cannot be read: not base64url, or too long"),
        (GOOD.rpartition(".")[0] + "." + signed("ES256", 2).rpartition(".")[2], (KEY,), WRONG),
    ],
)
def test_the_second_machine_finds_the_same(
    token: str, listed: tuple[dict[str, Any], ...], expected: str, *, token_first: bool
) -> None:
    found = key_set(*listed)
    assert verdict(token, found) == expected
    assert redacted_verdict(token, found, token_first=token_first) == expected


@pytest.mark.parametrize("token_first", [False, True])
def test_a_name_of_a_key_that_is_no_text(*, token_first: bool) -> None:
    """The words differ: nothing of the real header decides any more."""
    token, found = signed("ES256", kid=4711), key_set(KEY)
    assert verdict(token, found) == "its header names a key (kid) that is not a text"
    assert redacted_verdict(token, found, token_first=token_first) == verdict(token, found)


@pytest.mark.parametrize("token_first", [False, True])
def test_an_algorithm_of_traces_that_the_provider_does_not_accept(*, token_first: bool) -> None:
    """Accepting it in the trace must not make the token good."""
    found = key_set(OKP)
    assert verdict(RFC_TOKENS["EdDSA"], found, ("RS256",)) != OK
    assert redacted_verdict(RFC_TOKENS["EdDSA"], found, token_first=token_first, algorithms=("RS256",)) != OK


def test_what_the_machine_drops_does_not_count() -> None:
    signatures = Signatures(Placeholders(SECRETS))
    signatures.algorithms = ALGORITHMS
    signatures.keys(key_set(public("ES256", 2, kid="canary-1")))
    signatures.settle(counts=False)
    told = signatures.token(GOOD, PAYLOAD)
    signatures.settle(counts=True)
    assert verdict(told, key_set(*signatures.keys(key_set(KEY)))) == OK


def test_nothing_of_the_real_token_and_the_real_keys_is_kept() -> None:
    signatures = Signatures(Placeholders(SECRETS))
    signatures.algorithms = ALGORITHMS
    told = signatures.token(signed("ES256", kid="canary-1", jwk=EC, x5t="canary"), PAYLOAD)
    header, payload, _ = told.split(".")
    assert payload == PAYLOAD
    assert json.loads(urlsafe_b64decode(header + "==")) == {"alg": "EdDSA", "kid": "redacted-kid-1"}
    assert signatures.keys(key_set({**KEY, "x5c": ["canary"]})) == [
        {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": "6G-mG6oz1KnKaLSv7cPcuUarGmLH2m0nfbMNiyJ8mPE",
            "kid": "redacted-kid-1",
        }
    ]
    assert told == signatures.token(signed("ES256", kid="canary-1"), PAYLOAD)


LISTENING = (Started(), metadata(), Bound(port=PORT))


@pytest.mark.parametrize(
    "events",
    [
        # No key that the real machine has fetched has made these signatures.
        (keys(2, "key-2"), came_back(), tokens(3, id_token("key-1", {"kid": "canary-key-2"}))),
        (came_back(), keys(2, "key-1"), tokens(3, id_token("key-1", {"kid": "canary-key-2"})), keys(4, "key-2")),
        # The key of traces means nothing to a real machine: its keys are none of a provider.
        (
            json_answer(2, {"keys": [{**OKP, "kid": "canary-key-1"}]}),
            *(came_back(), tokens(3, f"{encoded({'alg': 'EdDSA', 'kid': 'canary-key-1'})}.{PAYLOAD}.{'A' * 86}")),
        ),
    ],
)
def test_a_wrong_signature_is_wrong_in_the_trace(events: tuple[Event, ...]) -> None:
    login = Beside(LoginOptions(provider=OPENID)).tell(*LISTENING, *events).replays().hides(["anary"])
    assert login.machine.state == "failed"


def test_only_a_login_with_keys_loads_a_library_for_signatures() -> None:
    program = (
        "import sys, loginmachine.sansio.trace.recorder, loginmachine.sansio.trace.sessions.recorder;"
        "print([name for name in ('cryptography', 'joserfc') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
