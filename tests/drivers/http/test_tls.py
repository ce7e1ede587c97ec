"""The trusted certificate authorities, and the errors when a bundle cannot be read."""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING

import certifi
import pytest
import trustme

from loginmachine.drivers.errors import TrustError
from loginmachine.drivers.http.tls import check_bundle, tls_context

if TYPE_CHECKING:
    from pathlib import Path

VARIABLES = ["CODEX_CA_CERTIFICATE", "SSL_CERT_FILE"]


@pytest.fixture
def bundle(tmp_path: Path, authority: trustme.CA) -> Path:
    path = tmp_path / "bundle.pem"
    authority.cert_pem.write_to_path(path)
    return path


def knows(context: ssl.SSLContext, authority: trustme.CA) -> bool:
    return ssl.PEM_cert_to_DER_cert(authority.cert_pem.bytes().decode()) in context.get_ca_certs(binary_form=True)


def usual_roots() -> set[bytes]:
    context = ssl.create_default_context(cafile=certifi.where())
    return set(context.get_ca_certs(binary_form=True))


def test_without_a_bundle(authority: trustme.CA) -> None:
    check_bundle()
    context = tls_context()
    assert not knows(context, authority)
    assert usual_roots() <= set(context.get_ca_certs(binary_form=True))


def test_certificates_are_always_verified() -> None:
    context = tls_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("variable", [*VARIABLES, "SSL_CERT_DIR"])
def test_the_strict_check_is_off_with_a_bundle_only(
    variable: str, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = ssl.create_default_context().verify_flags
    assert tls_context().verify_flags == usual
    monkeypatch.setenv(variable, str(bundle.parent if variable == "SSL_CERT_DIR" else bundle))
    assert tls_context().verify_flags == usual & ~ssl.VERIFY_X509_STRICT
    assert tls_context().verify_mode is ssl.CERT_REQUIRED
    assert tls_context().check_hostname


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_bundle_is_added_to_the_usual_roots(
    variable: str, bundle: Path, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(bundle))
    check_bundle()
    context = tls_context()
    assert knows(context, authority)
    assert usual_roots() <= set(context.get_ca_certs(binary_form=True))


@pytest.mark.parametrize("variable", VARIABLES)
def test_an_empty_variable_is_an_unset_one(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(tls_context().get_ca_certs(binary_form=True))
    monkeypatch.setenv(variable, "")
    check_bundle()
    assert set(tls_context().get_ca_certs(binary_form=True)) == before


def test_after_an_empty_variable_the_next_one_is_used(
    bundle: Path, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEX_CA_CERTIFICATE", "")
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    assert knows(tls_context(), authority)


def test_the_first_variable_is_used(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEX_CA_CERTIFICATE", str(tmp_path / "missing.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    for look in (check_bundle, tls_context):
        with pytest.raises(TrustError, match="CODEX_CA_CERTIFICATE"):
            look()


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "No such file or directory"),
        ("folder", "it is not a regular file"),
        (b"", "it holds no PEM certificate"),
        (b"DER \x30\x82", "it holds no PEM certificate"),
    ],
)
def test_a_bundle_that_cannot_be_used(
    variable: str, content: bytes | str | None, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bundle.pem"
    if content == "folder":
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    monkeypatch.setenv(variable, str(path))
    with pytest.raises(TrustError) as caught:
        check_bundle()
    assert str(caught.value) == f"the certificate bundle that {variable} names, {path}, cannot be used: {problem}"
    assert caught.value.__context__ is None
    with pytest.raises(TrustError):
        tls_context()


def test_a_bundle_that_may_not_be_read(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle.chmod(0)
    if os.access(bundle, os.R_OK):
        pytest.skip("this user may read everything")
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    for look in (check_bundle, tls_context):
        with pytest.raises(TrustError, match="cannot be used: Permission denied"):
            look()


def test_a_damaged_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bundle.pem"
    path.write_text("-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with pytest.raises(TrustError, match="it is not a bundle of PEM certificates") as caught:
        tls_context()
    assert caught.value.__context__ is None


def test_only_the_bundle_of_the_first_variable_is_trusted(
    bundle: Path, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By default OpenSSL reads SSL_CERT_FILE too.
    first = tmp_path / "first.pem"
    trustme.CA().cert_pem.write_to_path(first)
    monkeypatch.setenv("CODEX_CA_CERTIFICATE", str(first))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    assert not knows(tls_context(), authority)


def test_a_configured_bundle_does_not_replace_the_systems_roots(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = ssl.get_default_verify_paths().openssl_cafile
    asked: list[object] = []
    real = ssl.SSLContext.load_verify_locations

    def load(context: ssl.SSLContext, *certifi: str | None, **places: str) -> None:
        asked.append(places)
        real(context, *certifi, **places)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", load)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    monkeypatch.setenv("SSL_CERT_DIR", str(bundle.parent))
    tls_context()
    assert asked[-3:] == [{"cafile": system}, {"capath": str(bundle.parent)}, {"cafile": str(bundle)}]
