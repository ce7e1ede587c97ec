"""The environment variables that change what the command does. docs/command.md has the same table."""

from __future__ import annotations

from typing import Final

VARIABLES: Final = {
    "LOGINMACHINE_PROFILE": "the profile that is used if no option names a profile, a provider or an issuer",
    "CODEX_HOME": "the home folder, instead of ~/.codex",
    "CODEX_CLIENT_ID": "the OAuth client at Codex's provider",
    "CODEX_INTERNAL_ORIGINATOR_OVERRIDE": "the program that is reported to Codex's provider",
    "CODEX_REFRESH_TOKEN_URL_OVERRIDE": "where tokens of OpenAI's issuer are renewed",
    "CODEX_REVOKE_TOKEN_URL_OVERRIDE": "where tokens of OpenAI's issuer are revoked",
    "CODEX_CA_CERTIFICATE": "a file with more certificate authorities",
    "OPENAI_API_KEY": "the API key that is used if nothing is stored",
    "SSL_CERT_FILE": "as CODEX_CA_CERTIFICATE, which comes first",
    "SSL_CERT_DIR": "a folder of certificate authorities, instead of the system's",
    "HTTPS_PROXY": "the proxy for https, in lower or upper case",
    "HTTP_PROXY": "the proxy for http, in lower or upper case",
    "ALL_PROXY": "the proxy for both, in lower or upper case",
    "NO_PROXY": "hosts without a proxy, in lower or upper case",
    "XDG_CONFIG_HOME": "the folder above that of the configuration (Linux)",
    "XDG_STATE_HOME": "the folder above that of the accounts (Linux)",
    "BROWSER": "which browser is opened; none for none",
    "DISPLAY": "without it and WAYLAND_DISPLAY no browser is opened (Linux)",
    "WAYLAND_DISPLAY": "see DISPLAY",
    "SSH_CONNECTION": "the session is one over SSH",
    "USER": "the name in the command for a tunnel over SSH, or else LOGNAME",
    "LOGNAME": "see USER",
    "SSH_TTY": "the session is one over SSH",
    "container": "the program runs in a container",
    "CI": "without a terminal, login waits for no browser",
    "WSL_DISTRO_NAME": "the program runs in WSL: the browser of Windows is opened",
    "WSL_INTEROP": "the program runs in WSL, and how it starts programs of Windows",
    "NO_COLOR": "no colours",
    "FORCE_HYPERLINK": "1 for addresses as links of the terminal, 0 for none",
    "TERM_PROGRAM": "which terminal it is; some are known to have links",
    "VTE_VERSION": "which terminal it is; from 5000 on it has links",
    "TERM": "dumb for a terminal that only writes lines",
    "COLUMNS": "the width of help texts",
}
"""What each variable does, in the order in which people look for them."""
