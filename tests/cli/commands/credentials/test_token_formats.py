"""`loginmachine token --format`."""

from __future__ import annotations

import json
import re
import shutil
import ssl
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import trustme
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ...conftest import ID_TOKEN, called, environment, jwt
from ..test_tokens import Endpoint, sign_in

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

END = 4_000_000_000
END_WORDS = "2096-10-02T07:06:40Z"
TOKEN = jwt({"exp": END})
HARD = "canary \"' $(false) `x` \\"
"""A token that a shell would change, if it were not quoted."""


def stored(home: Path, token: str = TOKEN) -> None:
    tokens = {"id_token": ID_TOKEN, "access_token": token, "refresh_token": "canary-refresh"}
    (home / "auth.json").write_text(
        json.dumps({"auth_mode": "chatgpt", "tokens": tokens, "last_refresh": "2096-01-01T00:00:00Z"})
    )


def token(home: Path, form: str) -> tuple[int, str, str]:
    return called("token", "--home", str(home), "--format", form)


def test_token_is_the_default(tmp_path: Path) -> None:
    stored(tmp_path)
    assert token(tmp_path, "token") == called("token", "--home", str(tmp_path)) == (0, f"{TOKEN}\n", "")


def test_header(tmp_path: Path) -> None:
    stored(tmp_path)
    assert token(tmp_path, "header") == (0, f"Authorization: Bearer {TOKEN}\n", "")


def test_env(tmp_path: Path) -> None:
    stored(tmp_path)
    assert token(tmp_path, "env") == (0, f"LOGINMACHINE_TOKEN={TOKEN}\n", "")


@pytest.mark.skipif(not shutil.which("sh"), reason="there is no sh")
def test_a_shell_exports_the_token_unchanged(tmp_path: Path) -> None:
    (tmp_path / "auth.json").write_text(json.dumps({"auth_mode": "apikey", "OPENAI_API_KEY": HARD}))
    script = 'eval "export $("$1" -m loginmachine token --home "$2" --format env)"; printenv LOGINMACHINE_TOKEN'
    command = ["sh", "-c", script, "sh", sys.executable, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=50, check=True)
    assert (done.stdout, done.stderr) == (f"{HARD}\n", "")


def test_json(tmp_path: Path) -> None:
    stored(tmp_path)
    code, out, err = token(tmp_path, "json")
    assert (code, err) == (0, "")
    nothing = {"category": None, "message": None}
    assert json.loads(out) == {"token": TOKEN, "token_type": "Bearer", "expires_at": END_WORDS, **nothing}


def test_json_of_an_api_key_has_no_end(tmp_path: Path) -> None:
    (tmp_path / "auth.json").write_text('{"auth_mode": "apikey", "OPENAI_API_KEY": "canary-key"}')
    answer = json.loads(token(tmp_path, "json")[1])
    assert (answer["token"], answer["expires_at"]) == ("canary-key", None)


def test_json_of_a_failure(tmp_path: Path) -> None:
    code, out, err = token(tmp_path, "json")
    nothing = dict.fromkeys(("token", "token_type", "expires_at"))
    assert json.loads(out) == {**nothing, "category": "not_signed_in", "message": "nothing is stored"}
    assert (code, err.splitlines()[-1]) == (1, "Details: not_signed_in - nothing is stored")


def test_json_of_the_last_token_says_why_it_is_the_last(tmp_path: Path, httpserver: HTTPServer) -> None:
    endpoint = Endpoint(httpserver)
    last = sign_in(tmp_path, 100)
    endpoint.status, endpoint.error = 400, "invalid_grant"
    code, out, err = endpoint.run("token", tmp_path, "--format", "json")
    answer = json.loads(out)
    assert (code, answer["token"], answer["category"]) == (0, last, None)
    assert "invalid_grant" in answer["message"]
    assert "Warning: " in err


@pytest.mark.parametrize("form", ["header", "env", "kubernetes"])
def test_other_forms_print_nothing_without_a_token(tmp_path: Path, form: str) -> None:
    code, out, err = token(tmp_path, form)
    assert (code, out, err.startswith("You are not signed in: ")) == (1, "", True)


# For kubectl: https://kubernetes.io/docs/reference/config-api/client-authentication.v1/


def check_exec_credential(content: Any) -> None:
    """Check an object as the definition of `ExecCredential` has it."""
    assert set(content) <= {"apiVersion", "kind", "spec", "status"}
    assert content["apiVersion"] == "client.authentication.k8s.io/v1"
    assert content["kind"] == "ExecCredential"
    status = content["status"]
    assert set(status) <= {"expirationTimestamp", "token", "clientCertificateData", "clientKeyData"}
    assert all(type(value) is str and value for value in status.values())
    # A token, or a certificate with its key.
    assert "token" in status or {"clientCertificateData", "clientKeyData"} <= set(status)
    if "expirationTimestamp" in status:
        # `metav1.Time` is written as RFC 3339.
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", status["expirationTimestamp"])


def test_kubernetes(tmp_path: Path) -> None:
    stored(tmp_path)
    code, out, err = token(tmp_path, "kubernetes")
    content = json.loads(out)
    assert (code, err) == (0, "")
    check_exec_credential(content)
    assert content["status"]["token"] == TOKEN
    ends = datetime.fromisoformat(content["status"]["expirationTimestamp"])
    assert ends == datetime.fromtimestamp(END, UTC)


def test_kubernetes_without_an_end(tmp_path: Path) -> None:
    stored(tmp_path, "canary-opaque")
    content = json.loads(token(tmp_path, "kubernetes")[1])
    check_exec_credential(content)
    assert content["status"] == {"token": "canary-opaque"}


KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: test
contexts: [{{name: test, context: {{cluster: test, user: test}}}}]
clusters: [{{name: test, cluster: {{server: "{server}", certificate-authority: "{ca}"}}}}]
users:
- name: test
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      interactiveMode: Never
      command: "{python}"
      args: ["-m", "loginmachine", "token", "--home", "{home}", "--format", "kubernetes"]
"""


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed")
def test_kubectl_sends_the_token(tmp_path: Path) -> None:
    headers: list[str | None] = []

    def answer(request: Request) -> Response:
        headers.append(request.headers.get("Authorization"))
        return Response("{}", content_type="application/json")

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # kubectl sends a token over https only.
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    stored(tmp_path)
    configuration = tmp_path / "config"
    command = ["kubectl", "--kubeconfig", str(configuration), "get", "--raw", "/version"]
    env = {key: value for key, value in environment(HOME=str(tmp_path)).items() if not key.lower().endswith("_proxy")}
    with HTTPServer(host="127.0.0.1", ssl_context=context) as api:
        api.expect_request("/version").respond_with_handler(answer)
        server = f"https://127.0.0.1:{api.port}"
        values = {"server": server, "ca": tmp_path / "ca.pem", "python": sys.executable, "home": tmp_path}
        configuration.write_text(KUBECONFIG.format(**values))
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=50, check=False)
    assert (done.returncode, done.stdout) == (0, "{}"), done.stderr
    assert set(headers) == {f"Bearer {TOKEN}"}
