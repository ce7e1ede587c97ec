"""SHA-256, with an example of FIPS 180."""

from __future__ import annotations

from loginmachine.sansio.base.digests import sha256


def test_the_example_of_the_standard() -> None:
    assert sha256(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
