"""The words from outside that a trace may hold. All other words are masked.

A pattern for secrets, persons and paths always misses some. A closed list does not: systems, drivers and token
endpoints describe problems with a few hundred words.
"""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "[...]"
"""Stands for one or more words that are not listed."""

_WORDS: Final = frozenset(
    """
    a about abort aborted accept accepted access account accounts action active address administrator after again agreed
    allow allowed already an and another answer any api app application are argument as at attempt attempts audience
    authenticate authenticated authentication authorization authorize authorized available back bad be bearer because
    been before being block blocked body broke broken browser bundle busy but by bytes call callback caller came can
    cancel canceled cancelled cannot certificate chain challenge changed check child choose claim client clock close
    closed code codex command complete completed connect connection consent contact contains content could create
    credentials current data deadline denied deployment description descriptor detail details device did different
    directory disabled disk does domain down due during email empty enabled end ended endpoint enough entitlement error
    errors exceeded exchange exist existing exists expected expired expiry failed failure family field file filename
    files first folder for forbidden format found from full gave get given go gone grant granted had handle has have
    header held hint holds host hostname how http https id identifier identity if illegal implemented in incomplete
    incorrect input instead insufficient interaction internal interrupted into invalid is issue issued issuer it its
    json key large later left length level limit link list local locale locked login long longer loop lost machine made
    mail malformed many match matches may memory message method minutes mismatch missing mode more multiple must name
    named need needed network new no nobody non none nonce not nothing now number object of off offline on once one only
    open opened operation or organization other our out owner parameter parameters parent parse password path payload
    pending per permission permitted person pipe pkce please policy port possible previous problem process profile
    program project prompt protocol provided provider proxy query quota raised range rate read reached reason received
    redirect refresh refused registered registration rejected release remote removed repeated request requested requests
    require required requires reset resource resources respond response restart result retry reused revoked route run
    running scope scopes second seconds security select selection send sent server service session settings shared short
    should sign signature signed since size slow socket space stale started state status step still stopped store stored
    string such support supported system taken temporarily temporary terminated terminating than that the their there
    this thread threads time timed timeout timestamp to token tokens too took transport trust trusted try type uid
    unable unauthorized unavailable unexpected unique unknown unreachable unrecognized unsupported until uri url usable
    use used user username uses valid value verification verifier verify version via wait was way went were what when
    which while who will with within without work workspace write written wrong yes yet you your
    errno winerror ssl tls dns redacted oserror permissionerror filenotfounderror valueerror typeerror runtimeerror
    keyerror attributeerror memoryerror timeouterror connectionerror storeerror
    """.split()  # noqa: SIM905 - a list of literals would be 400 lines
)
_BEFORE_NUMBERS: Final = frozenset(("errno", "winerror", "status", "port", "http"))
"""Words before a number that is not secret and says what happened."""
_CHUNK: Final = re.compile(r"([(\[\"'\u2018\u201c]?)(.+?)([)\]\"'\u2019\u201d]?[.,:;!?]?)", re.DOTALL)
_NUMBER: Final = re.compile(r"[0-9]{1,5}")
_JOINT: Final = re.compile(r"[-_.]")


def split_chunk(chunk: str) -> tuple[str, str, str]:
    """Return the punctuation before a word, the word, and the punctuation after it.

    Args:
        chunk: The word with its punctuation, not empty.
    """
    match = _CHUNK.fullmatch(chunk)
    assert match is not None
    return match[1], match[2], match[3]


def parts_of(word: str) -> list[str]:
    """Return a word, or the parts of an error code, in lower case. A part may be empty."""
    return _JOINT.split(word.lower())


def is_listed(word: str) -> bool:
    """Return whether a word, or each part of an error code, is listed."""
    return all(part in _WORDS for part in parts_of(word))


def mask_unlisted(text: str) -> str:
    """Replace each run of words that are not listed by a `MASK`."""
    shown: list[str] = []
    previous = ""
    for chunk in text.split():
        _, word, after = split_chunk(chunk)
        if is_listed(word) or (previous in _BEFORE_NUMBERS and _NUMBER.fullmatch(word)):
            shown.append(chunk)
        elif not shown or not shown[-1].startswith(MASK):
            shown.append(MASK + after[-1:].strip(")]\"'\u2019\u201d!?"))
        else:
            shown[-1] = MASK + after[-1:].strip(")]\"'\u2019\u201d!?")
        previous = word.lower()
    return " ".join(shown)
