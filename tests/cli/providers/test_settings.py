"""What the options and a profile of the configuration say about the provider and the login."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine.cli.arguments import parse_arguments
from loginmachine.cli.options import is_for_codex, login_options_from
from loginmachine.sansio.server.client_secret import ExternalSecret
from loginmachine.sansio.server.endpoints import ClientAuthentication, DeviceCodeEndpoints

from ..conftest import called

if TYPE_CHECKING:
    from pathlib import Path

    from loginmachine.sansio.model.options import LoginOptions

ISSUER = "https://id.example.com"
OPENID = ("--issuer", ISSUER, "--client-id", "native")
ENDPOINTS = ("--authorization-endpoint", f"{ISSUER}/authorize", "--token-endpoint", f"{ISSUER}/token")
OAUTH = ("--provider", "oauth", *ENDPOINTS, "--client-id", "c")


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGINMACHINE_PROFILE", "CODEX_CLIENT_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def options(*given: str) -> LoginOptions:
    return login_options_from(parse_arguments(["login", *given]))


def configured(tmp_path: Path, text: str) -> None:
    (tmp_path / "loginmachine").mkdir()
    (tmp_path / "loginmachine" / "config.toml").write_text(text)


@pytest.mark.parametrize(
    ("given", "is_codex"),
    [
        ((), True),
        (("--provider", "codex", "--issuer", ISSUER), True),
        (("--client-id", "c"), True),
        (("--issuer", ISSUER), False),
        (OPENID, False),
        (("--scope", "openid"), False),
        (("--provider", "google"), False),
    ],
)
def test_what_is_for_codex(given: tuple[str, ...], *, is_codex: bool) -> None:
    assert is_for_codex(parse_arguments(["login", *given])) is is_codex


def test_an_issuer_and_a_client_mean_openid() -> None:
    found = options(*OPENID)
    assert (found.provider.name, found.provider.issuer, found.provider.client_id) == ("openid", ISSUER, "native")
    assert found.provider.needs_discovery
    assert (found.scopes, found.redirect_host, found.port) == (None, "127.0.0.1", None)


def test_every_option_of_the_request() -> None:
    given = ("--scope", "openid email", "--scope", "profile", "--require-scope", "email", "--audience", "https://api")
    more = ("--resource", "https://a.example", "--resource", "https://b.example", "--prompt", "login")
    params = ("--login-hint", "ada@example.com", "--param", "max_age=60", "--param", "acr_values=a=b", "--par")
    found = options(*OPENID, *given, *more, *params)
    assert found.scopes == ("openid", "email", "profile")
    assert found.required_scopes == ("email",)
    assert (found.audience, found.prompt, found.login_hint) == ("https://api", "login", "ada@example.com")
    assert found.resource == ("https://a.example", "https://b.example")
    assert (found.max_age, found.parameters) == (60, (("acr_values", "a=b"),))
    assert found.provider.require_pushed_authorization_requests


@pytest.mark.parametrize(
    ("uri", "host", "port", "path"),
    [
        ("http://127.0.0.1", "127.0.0.1", None, ""),
        ("http://localhost:8080/", "localhost", 8080, "/"),
        ("http://[::1]:65535/a/b", "[::1]", 65535, "/a/b"),
    ],
)
def test_the_redirect_uri(uri: str, host: str, port: int | None, path: str) -> None:
    found = options(*OPENID, "--redirect-uri", uri)
    assert (found.redirect_host, found.port, found.provider.callback_path) == (host, port, path)
    assert found.first_port == (port or 0)


def test_a_port_beside_a_redirect_uri_without_one() -> None:
    assert options(*OPENID, "--redirect-uri", "http://127.0.0.1/cb", "--port", "5000").port == 5000


def test_presets(tmp_path: Path) -> None:
    file = tmp_path / "client.json"
    file.write_text(json.dumps({"installed": {"client_id": "g", "client_secret": "canary"}}))
    assert options("--provider", "google", "--client-file", str(file)).provider.client_id == "g"
    assert options("--provider", "github", "--client-id", "c").provider.token_endpoint.startswith("https://github.com")
    microsoft = options("--provider", "microsoft", "--client-id", "c", "--tenant", "organizations")
    assert microsoft.provider.issuer == "https://login.microsoftonline.com/organizations/v2.0"
    assert (microsoft.redirect_host, microsoft.provider.callback_path) == ("localhost", "")
    gitlab = options("--provider", "gitlab", "--issuer", "https://git.example.com", "--client-id", "c")
    assert gitlab.provider.issuer == "https://git.example.com"


def test_oauth_with_device_codes_only() -> None:
    found = options(
        *("--provider", "oauth", "--token-endpoint", f"{ISSUER}/token", "--client-id", "c"),
        *("--device-authorization-endpoint", f"{ISSUER}/device", "--device-code"),
    )
    assert found.provider.device_code == DeviceCodeEndpoints(code_endpoint=f"{ISSUER}/device")
    assert not found.device_code_fallback


@pytest.mark.parametrize(
    ("auth", "method"),
    [
        ((), None),
        (("--client-auth", "basic"), ClientAuthentication.CLIENT_SECRET_BASIC),
        (("--client-auth", "post"), ClientAuthentication.CLIENT_SECRET_POST),
    ],
)
def test_the_secret_is_read_from_its_file(tmp_path: Path, auth: tuple[str, ...], method: object) -> None:
    file = tmp_path / "secret"
    file.write_text("canary\n")
    file.chmod(0o600)
    provider = options(*OPENID, "--client-secret-file", str(file), *auth).provider
    assert isinstance(provider.client_secret, ExternalSecret)
    assert (provider.client_secret.reveal(), provider.client_secret.file) == ("canary", str(file))
    assert provider.token_endpoint_auth_method is method


def test_a_registration_stands_in_for_a_client() -> None:
    provider = options("--issuer", ISSUER, "--register").provider
    assert provider.client_id == ""
    assert provider.registration is not None
    assert provider.registration.client_name == "loginmachine"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            ("--issuer", ISSUER),
            "--issuer alone is not enough: add --client-id, for an OpenID Connect provider, or --prov",
        ),
        (("--provider", "openid", "--client-id", "c"), "--provider openid needs --issuer"),
        (("--provider", "openid", "--issuer", ISSUER), "--provider openid needs --client-id or --register"),
        (("--provider", "google"), "--provider google needs --client-file or --client-id"),
        (("--provider", "github"), "--provider github needs --client-id"),
        (("--provider", "oauth", "--client-id", "c"), "--provider oauth needs --token-endpoint"),
        (
            ("--token-endpoint", f"{ISSUER}/token"),
            "--token-endpoint means nothing for codex, the provider if none is n",
        ),
        (("--provider", "codex", "--resource", "x:y"), "--resource means nothing for --provider codex"),
        ((*OPENID, "--tenant", "x"), "--tenant means nothing for --provider openid"),
        ((*OPENID, "--token-endpoint", f"{ISSUER}/t"), "--token-endpoint needs --authorization-endpoint, too"),
        ((*OPENID, "--register"), "--register and --client-id exclude each other"),
        ((*OPENID, "--workspace", "w"), "--workspace is for codex only, not for openid"),
        ((*OPENID, "--client-auth", "basic"), "--client-auth needs --client-secret-file"),
        (
            (*OPENID, "--redirect-uri", "https://127.0.0.1/cb"),
            "--redirect-uri: it is http://127.0.0.1, http://localhost",
        ),
        ((*OPENID, "--redirect-uri", "http://127.0.0.1:0/cb"), "--redirect-uri: it is http://127.0.0.1"),
        ((*OPENID, "--redirect-uri", "http://127.0.0.1/cancel"), "--redirect-uri: the callback path"),
        (
            (*OPENID, "--redirect-uri", "http://127.0.0.1:81/", "--port", "82"),
            "--port: the port is that of --redirect-uri",
        ),
        ((*OPENID, "--param", "state=canary"), "--param: the parameter state belongs to the protocol"),
        ((*OPENID, "--param", "canary"), "--param is written as NAME=VALUE"),
        ((*OPENID, "--param", "a=1", "--param", "a=2"), "--param: a is given twice"),
        ((*OPENID, "--param", "max_age=canary"), "--param: max_age is a number of seconds"),
        ((*OPENID, "--resource", "canary"), "--resource: a resource is an absolute URI"),
        ((*OPENID, "--prompt", ""), "--prompt must not be empty"),
        (
            (*OAUTH[:-2], "--client-id", "c", "--token-endpoint", "http://x.example/"),
            "--token-endpoint: the provider's URL",
        ),
        (("--client-secret", "canary"), "--client-secret takes no value, because others could see it"),
        (("--client-secret=canary",), "--client-secret takes no value, because others could see it"),
        ((*OPENID, "--api-key"), "--api-key is for codex only"),
        (("--profile", "work"), "there is no profile work in "),
    ],
)
def test_wrong_usage_names_the_option(given: tuple[str, ...], words: str) -> None:
    code, out, err = called("login", *given)
    assert (code, out) == (2, "")
    assert words in err.splitlines()[-1]
    assert "canary" not in err


def test_a_missing_profile_of_the_environment_is_named_after_the_variable() -> None:
    code, _, err = called("doctor", LOGINMACHINE_PROFILE="work")
    assert (code, "doctor: error: LOGINMACHINE_PROFILE: there is no profile work in " in err) == (2, True)


@pytest.mark.parametrize("command", ["status", "token", "refresh", "logout", "accounts"])
def test_an_issuer_alone_is_wrong_usage_everywhere(command: str) -> None:
    code, _, err = called(command, "--issuer", ISSUER)
    assert code == 2
    assert "add --client-id, for an OpenID Connect provider, or --provider codex" in err


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("canary")
    file.chmod(0o640)
    code, _, err = called("login", *OPENID, "--client-secret-file", str(file))
    assert code == 2
    assert err.splitlines()[-1].endswith(f"error: --client-secret-file: others can read {file}. Run: chmod 600 {file}")
    for name, problem in (("none", "No such file or directory"), (".", "is not a file")):
        code, _, err = called("login", *OPENID, "--client-secret-file", str(tmp_path / name))
        assert (code, problem in err) == (2, True)


PROFILE = f"""
[profile.work]
provider = "openid"
issuer = "{ISSUER}"
client_id = "native"
token_endpoint_auth_method = "client_secret_post"
client_secret_command = ["printf", "canary\\n"]
scope = "openid email"
redirect_uri = "http://localhost/cb"
revocation_endpoint = "{ISSUER}/revoke"
parameters = {{ max_age = 30, audience = "https://api", ui_locales = "de" }}
"""


@pytest.mark.parametrize("by", ["option", "environment"])
def test_a_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    configured(tmp_path, PROFILE)
    monkeypatch.setenv("LOGINMACHINE_PROFILE", "work" if by == "environment" else "other")
    given = ("--profile", "work") if by == "option" else ()
    found = options(*given)
    provider = found.provider
    assert (provider.issuer, provider.client_id, provider.revocation_endpoint) == (ISSUER, "native", f"{ISSUER}/revoke")
    assert provider.token_endpoint_auth_method is ClientAuthentication.CLIENT_SECRET_POST
    assert isinstance(provider.client_secret, ExternalSecret)
    assert provider.client_secret.reveal() == "canary"
    assert (found.scopes, found.redirect_host, provider.callback_path) == (("openid", "email"), "localhost", "/cb")
    assert (found.max_age, found.audience, found.parameters) == (30, "https://api", (("ui_locales", "de"),))


def test_the_command_line_comes_before_the_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configured(tmp_path, PROFILE)
    found = options("--profile", "work", "--client-id", "other", "--scope", "openid")
    assert (found.provider.client_id, found.scopes) == ("other", ("openid",))
    # A provider on the command line leaves the profile of the environment out.
    monkeypatch.setenv("LOGINMACHINE_PROFILE", "work")
    assert options("--provider", "codex").provider.name == "codex"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            'client_secret = "canary"',
            'client_secret: no secret belongs into this file. Write client_secret_file = "FILE"',
        ),
        ('isuer = "canary"', "isuer: unknown member. Did you mean issuer?"),
        ("client_id = 7", "client_id: it is a text, and not empty"),
        ('client_secret_command = "pass canary"', "client_secret_command: it is a list of texts, with at least one"),
        ('parameters = "canary"', "parameters: it is a table of texts"),
        ("par = true", "par: unknown member"),
        ('provider = "canary"', "provider in the profile work is none of codex, chatgpt, openid"),
        (
            'token_endpoint_auth_method = "canary"',
            "token_endpoint_auth_method in the profile work is one of none, client",
        ),
        ('client_secret_file = "a"\nclient_secret_command = ["b"]', "has both client_secret_file and client_secret_co"),
        ('client_secret_command = ["false"]\nprovider = "openid"\nissuer = "https://a"\nclient_id = "b"', "status 1"),
        ("= canary", "it is not valid TOML (line 2, column 1)"),
    ],
)
def test_a_wrong_profile_names_the_member(tmp_path: Path, line: str, words: str) -> None:
    configured(tmp_path, f"[profile.work]\n{line}\n")
    code, _, err = called("login", "--profile", "work", XDG_CONFIG_HOME=str(tmp_path))
    assert code == 2
    assert words in err.splitlines()[-1]
    assert "canary" not in err


def test_the_nearest_profile_is_named(tmp_path: Path) -> None:
    configured(tmp_path, PROFILE)
    _, _, err = called("login", "--profile", "worc", XDG_CONFIG_HOME=str(tmp_path))
    assert err.endswith("Did you mean work?\n")


def test_profiles_are_listed(tmp_path: Path) -> None:
    listed: dict[str, Any] = json.loads(called("profiles", "--json", XDG_CONFIG_HOME=str(tmp_path))[1])
    assert listed["profiles"] == []
    configured(tmp_path, PROFILE)
    code, out, _ = called("profiles", XDG_CONFIG_HOME=str(tmp_path))
    assert (code, out) == (0, f"work: openid at {ISSUER}, client native\n")
    listed = json.loads(called("profiles", "--json", XDG_CONFIG_HOME=str(tmp_path))[1])
    work = {"name": "work", "provider": "openid", "issuer": ISSUER, "client_id": "native", "scope": "openid email"}
    assert listed["profiles"] == [work]
    (tmp_path / "loginmachine" / "config.toml").write_text("[profil.work]")
    code, _, err = called("profiles", XDG_CONFIG_HOME=str(tmp_path))
    assert (code, "profil is unknown. Did you mean profile?" in err) == (2, True)
