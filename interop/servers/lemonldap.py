"""LemonLDAP::NG, from Debian's packages, unpacked below the cache."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ..cache import PROGRAMS, debian_packages, installed, run
from ..processes import free_port, running
from ..sites import CALLBACK_PATH, CONFIDENTIAL, PUBLIC, SECRET, Client, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PACKAGES = [
    "libapache-logformat-compiler-perl",
    "libapache-session-perl",
    "libcache-cache-perl",
    "libclass-inspector-perl",
    "libclass-xsaccessor-perl",
    "libclone-perl",
    "libcommon-sense-perl",
    "libconfig-inifiles-perl",
    "libconvert-asn1-perl",
    "libcookie-baker-perl",
    "libcrypt-jwt-perl",
    "libcrypt-openssl-bignum-perl",
    "libcrypt-openssl-random-perl",
    "libcrypt-openssl-rsa-perl",
    "libcrypt-openssl-x509-perl",
    "libcrypt-rijndael-perl",
    "libcrypt-urandom-perl",
    "libcryptx-perl",
    "libdevel-stacktrace-ashtml-perl",
    "libdevel-stacktrace-perl",
    "libemail-date-format-perl",
    "libencode-locale-perl",
    "libexporter-tiny-perl",
    "libfile-listing-perl",
    "libfile-sharedir-perl",
    "libfilesys-notify-simple-perl",
    "libhash-multivalue-perl",
    "libhtml-parser-perl",
    "libhtml-tagset-perl",
    "libhtml-template-perl",
    "libhtml-tree-perl",
    "libhttp-cookies-perl",
    "libhttp-date-perl",
    "libhttp-entity-parser-perl",
    "libhttp-headers-fast-perl",
    "libhttp-message-perl",
    "libhttp-multipartparser-perl",
    "libhttp-negotiate-perl",
    "libio-html-perl",
    "libio-socket-ssl-perl",
    "libio-string-perl",
    "libipc-sharelite-perl",
    "libjson-maybexs-perl",
    "libjson-xs-perl",
    "liblemonldap-ng-common-perl",
    "liblemonldap-ng-handler-perl",
    "liblemonldap-ng-portal-perl",
    "liblist-moreutils-perl",
    "liblist-moreutils-xs-perl",
    "liblwp-mediatypes-perl",
    "liblwp-protocol-https-perl",
    "libmouse-perl",
    "libnet-http-perl",
    "libnet-ssleay-perl",
    "libplack-perl",
    "libposix-strftime-compiler-perl",
    "libregexp-assemble-perl",
    "libregexp-ipv6-perl",
    "libstream-buffered-perl",
    "libstring-random-perl",
    "libtest-sharedfork-perl",
    "libtest-tcp-perl",
    "libtext-unidecode-perl",
    "libtimedate-perl",
    "libtomcrypt1",
    "libtommath1",
    "libtry-tiny-perl",
    "libtypes-serialiser-perl",
    "liburi-perl",
    "libwww-form-urlencoded-perl",
    "libwww-perl",
    "libwww-robotrules-perl",
]
_PERSON = "dwho"
"""A person of its module `Demo` with the name as password."""
CLIENTS = (
    Client(PUBLIC, "native-public"),
    Client(CONFIDENTIAL, "native-confidential", SECRET, "client_secret_basic"),
)


class LemonLdap:
    """The portal of Debian's package `lemonldap-ng`, with Perl's HTTP server and sessions in files."""

    name = "LemonLDAP::NG"
    package = "Debian, lemonldap-ng"

    def install(self) -> Path:
        """Unpack it with the Perl modules that it needs. Their names are those of one release of Debian."""
        return installed("lemonldap", " ".join(_PACKAGES), lambda folder: debian_packages(folder, *_PACKAGES))

    def version(self, folder: Path) -> str:
        """Return what its changelog begins with."""
        changelog = folder / "usr/share/doc/liblemonldap-ng-portal-perl/changelog.Debian.gz"
        first = run("zcat", changelog, cwd=folder).partition("\n")[0]
        return first.partition("(")[2].partition("+")[0]

    @contextlib.contextmanager
    def start(self, folder: Path, state: Path) -> Iterator[Site]:
        """Run the portal. It compares the whole redirect URI: the clients have a fixed port."""
        port, callback = free_port(), free_port()
        issuer = f"http://127.0.0.1:{port}/"
        for name in ("conf", "sessions", "persistent", "locks"):
            (state / name).mkdir()
        (state / "conf" / "lmConf-1.json").write_text(json.dumps(_settings(state, issuer, callback)), encoding="utf-8")
        (state / "lemonldap-ng.ini").write_text(_configuration(folder, state), encoding="utf-8")
        libraries = sorted((folder / "usr/lib").glob("*-linux-gnu*"))
        perl = [folder / "usr/share/perl5", *(path for each in libraries for path in sorted(each.glob("perl5/*")))]
        extra = {
            "LLNG_DEFAULTCONFFILE": str(state / "lemonldap-ng.ini"),
            "PERL5LIB": ":".join(map(str, perl)),
            "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
        }
        command = ("perl", PROGRAMS / "lemonldap.psgi", str(port))
        with running(command, folder=state, ready=f"{issuer}.well-known/openid-configuration", extra=extra):
            yield Site(
                issuer,
                CLIENTS,
                scopes=("openid", "profile", "email"),
                port=callback,
                answers={"user": _PERSON, "password": _PERSON},
                registration="redirect URI with a fixed port: `http://127.0.0.1:1456/auth/callback`; ID tokens "
                "signed with RS256; refresh tokens allowed",
            )


def _configuration(folder: Path, state: Path) -> str:
    return f"""\
[all]
logLevel = warn
logger = Lemonldap::NG::Common::Logger::Std
userLogger = Lemonldap::NG::Common::Logger::Std
[configuration]
type = File
dirName = {state / "conf"}
[portal]
staticPrefix = /static
templateDir = {folder / "usr/share/lemonldap-ng/portal/templates"}
languages = en
"""


def _settings(state: Path, issuer: str, callback: int) -> dict[str, object]:
    key = rsa.generate_private_key(65537, 2048)
    encoding, style = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
    private = key.private_bytes(encoding, style, serialization.NoEncryption()).decode("ascii")
    public = key.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo).decode("ascii")
    return {
        "cfgNum": 1,
        "cfgDate": 1,
        "cfgAuthor": "interop",
        "portal": issuer,
        "domain": "127.0.0.1",
        "cookieName": "lemonldap",
        "securedCookie": 0,
        "key": "for one run",
        "authentication": "Demo",
        "userDB": "Same",
        "passwordDB": "Null",
        "registerDB": "Null",
        "demoExportedVars": {"cn": "cn", "mail": "mail", "uid": "uid"},
        "globalStorage": "Apache::Session::File",
        "globalStorageOptions": _sessions(state, "sessions"),
        "persistentStorage": "Apache::Session::File",
        "persistentStorageOptions": _sessions(state, "persistent"),
        "localSessionStorage": "",
        "locationRules": {},
        "exportedVars": {},
        "groups": {},
        "macros": {"_whatToTrace": "lc($_user)"},
        "whatToTrace": "_whatToTrace",
        "issuerDBOpenIDConnectActivation": 1,
        "issuerDBOpenIDConnectPath": "^/oauth2/",
        "issuerDBOpenIDConnectRule": 1,
        "oidcServiceAllowAuthorizationCodeFlow": 1,
        "oidcServiceMetaDataIssuer": issuer,
        "oidcServicePrivateKeySig": private,
        "oidcServicePublicKeySig": public,
        "oidcServiceKeyIdSig": "key-1",
        "oidcRPMetaDataOptions": {client.kind: _registered(client, callback) for client in CLIENTS},
        "oidcRPMetaDataExportedVars": {client.kind: {"email": "mail", "name": "cn"} for client in CLIENTS},
    }


def _sessions(state: Path, name: str) -> dict[str, str]:
    return {
        "Directory": str(state / name),
        "LockDirectory": str(state / "locks"),
        "generateModule": "Lemonldap::NG::Common::Apache::Session::Generate::SHA256",
    }


def _registered(client: Client, callback: int) -> dict[str, object]:
    prefix = "oidcRPMetaDataOptions"
    return {
        f"{prefix}ClientID": client.client_id,
        f"{prefix}ClientSecret": client.secret or "",
        f"{prefix}Public": int(client.secret is None),
        f"{prefix}RequirePKCE": 1,
        f"{prefix}RedirectUris": f"http://127.0.0.1:{callback}{CALLBACK_PATH}",
        f"{prefix}IDTokenSignAlg": "RS256",
        f"{prefix}RefreshToken": 1,
        f"{prefix}AccessTokenExpiration": 3600,
    }
