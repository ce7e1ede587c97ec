"""Sign in with ChatGPT, list the models that the person's plan includes, and stream one answer.

Run it without arguments for OpenAI, or with an issuer and the address of an API for a stand-in of both.
"""

import json
import sys

import httpx

from loginmachine import AccountStore, LoginFailed, LoginOptions, Provider, Session, SignInRequired, start_login

PROGRAM = "loginmachine-example"


def sign_in(issuer: str) -> None:
    """Sign in through the browser. The next call renews the same account."""
    options = LoginOptions(provider=Provider.chatgpt(app_name=PROGRAM, issuer=issuer), open_browser=False)
    with start_login(options, store=AccountStore(PROGRAM)) as login:
        print("Continue with ChatGPT:", login.auth_url, sep="\n", flush=True)
        login.wait()


def models(client: httpx.Client) -> list[str]:
    """Return the models that are meant to be shown."""
    answer = client.get("models").raise_for_status().json()
    return [model["slug"] for model in answer["models"] if model["visibility"] == "list"]


def ask(client: httpx.Client, model: str, question: str) -> str:
    """Stream an answer. It is complete only if the last event says so."""
    body = {"model": model, "input": [{"role": "user", "content": question}], "store": False, "stream": True}
    words: list[str] = []
    with client.stream("POST", "responses", json=body, headers={"Accept": "text/event-stream"}) as answer:
        answer.raise_for_status()
        for line in answer.iter_lines():
            event = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
            if event.get("type") == "response.output_text.delta":
                words.append(event["delta"])
            if event.get("type") == "response.completed":
                return "".join(words)
            if event.get("type") == "response.failed":
                raise RuntimeError(event["response"]["error"]["code"])
    raise RuntimeError("the answer was cut off")


def main(issuer: str, api: str) -> int:
    """Ask one question, and sign in first if that is needed."""
    try:
        Session(AccountStore(PROGRAM)).access_token()
    except SignInRequired:
        try:
            sign_in(issuer)
        except LoginFailed as error:
            print(f"{error.category}: {error.message}")
            return 1
    with httpx.Client(base_url=api, auth=Session(AccountStore(PROGRAM)).auth, timeout=60) as client:
        (model, *_) = models(client)
        print(f"{model}: {ask(client, model, 'Say hello.')}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*(sys.argv[1:] or ["https://auth.openai.com", "https://api.openai.com/v1"])))
