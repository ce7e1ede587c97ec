"""Replaying a trace: where the machine differs from it."""

from __future__ import annotations

import json

from loginmachine.sansio.trace import read_trace, replay

from ...traces.record import FOLDER


def test_a_difference() -> None:
    lines = (FOLDER / "unfinished.jsonl").read_bytes().splitlines()
    step = json.loads(lines[1])
    step["actions"][1]["attempt"] = 2
    result = replay(read_trace([lines[0], json.dumps(step).encode(), *lines[2:]]))
    assert not result.is_identical
    assert len(result.steps) == 1
    assert result.difference is not None
    assert result.difference.line == 2
    assert result.difference.diff() == (
        "--- recorded\n"
        "+++ replayed\n"
        "@@ -12,7 +12,7 @@\n"
        "   {\n"
        '    "type": "Bind",\n'
        '    "port": 1455,\n'
        '-   "attempt": 2\n'
        '+   "attempt": 1\n'
        "   }\n"
        "  ]\n"
        " }"
    )


def test_a_difference_about_what_was_unexpected() -> None:
    lines = (FOLDER / "unexpected.jsonl").read_bytes().splitlines()
    wrong = json.dumps({**json.loads(lines[1]), "unexpected": True}).encode()
    was_wrong = json.dumps({**json.loads(lines[2]), "unexpected": False, "state": "binding", "actions": []}).encode()
    first = replay(read_trace([lines[0], wrong])).difference
    second = replay(read_trace([*lines[:2], was_wrong])).difference
    assert first is not None
    assert second is not None
    assert (first.recorded, second.replayed) == ("unexpected", "unexpected")


def test_a_difference_of_any_size_is_shown_cut() -> None:
    lines = (FOLDER / "unexpected.jsonl").read_bytes().splitlines()
    step = json.dumps({**json.loads(lines[1]), "actions": ["x" * 500_000, *["y"] * 50_000]}).encode()
    difference = replay(read_trace([lines[0], step])).difference
    assert difference is not None
    assert len(difference.diff()) < 10_000


def test_replaced_tokens_are_the_providers_unless_the_trace_says_else() -> None:
    """Old traces do not say which provider has issued them."""
    lines = (FOLDER / "succeeded_over_older_credentials.jsonl").read_bytes().splitlines()
    assert replay(read_trace(lines)).is_identical
    (at,) = [number for number, line in enumerate(lines) if b'"CredentialsSaved"' in line]
    step = json.loads(lines[at])
    step["event"]["replaced"]["tokens"]["provenance"] = {
        "type": "Provenance",
        "issuer": "https://other.invalid",
        "client_id": "other",
    }
    lines[at] = json.dumps(step).encode()
    # They are not revoked.
    assert replay(read_trace(lines)).difference is not None
