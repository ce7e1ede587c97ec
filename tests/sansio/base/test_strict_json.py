"""One strict JSON object, or an error that names the rule and never the content."""

from __future__ import annotations

import pytest

from loginmachine.sansio.base.strict_json import JsonError, loads_object


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"{}", {}),
        (b' {"a": 1, "b": [1.5, -0, true, null, "x"]} \n', {"a": 1, "b": [1.5, 0, True, None, "x"]}),
        (b'\xef\xbb\xbf{"a": "\xc3\xa9"}', {"a": "\u00e9"}),
        (b'{"a": "\\ud83d\\ude42", "A": "\\ud800"}', {"a": "\U0001f642", "A": "\ud800"}),
        (b'{"a": {"a": {"a": 1}}}', {"a": {"a": {"a": 1}}}),
        (b'{"a": 1e-999}', {"a": 0.0}),
    ],
)
def test_strict_objects(data: bytes, value: object) -> None:
    assert loads_object(data) == value


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "not JSON"),
        (b"canary", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b'{"a": 1,}', "not JSON"),
        (b'{"a": 01}', "not JSON"),
        (b'{"a": 1} {}', "not JSON"),
        (b'{"canary": "\x00"}', "not JSON"),
        (b'\xef\xbb\xbf\xef\xbb\xbf{"a": 1}', "not JSON"),
        (b'{"a": "\xff canary"}', "not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
        ('{"a": 1}'.encode("utf-32-be"), "not JSON"),
        (b'{"canary": 1, "canary": 1}', "a duplicate member"),
        (b'{"a": [{"b": 1, "\\u0062": 2}]}', "a duplicate member"),
        (b'{"a": NaN}', "a number that JSON does not know"),
        (b'{"a": Infinity}', "a number that JSON does not know"),
        (b'{"a": -Infinity}', "a number that JSON does not know"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"canary":' * 100_000, "nested too deeply"),
        (b"[]", "not a JSON object"),
        (b'"canary"', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"0", "not a JSON object"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_everything_else_is_an_error(data: bytes, rule: str) -> None:
    with pytest.raises(JsonError) as caught:
        loads_object(data)
    assert str(caught.value) == rule
    assert caught.value.args == (rule,)
    assert caught.value.__context__ is None
