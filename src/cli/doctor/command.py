"""``loginmachine doctor``: check this machine, and say what to do about each problem. It shows no secret."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING

from .. import exit_codes
from ..options import is_for_codex, provider_from
from ..terminal.display import Terminal
from ..terminal.writer import print_out
from .findings import State
from .machine import check_browser, check_codex, check_program, check_variables
from .network import check_certificates, check_port, check_provider, check_proxy
from .places import check_folders, check_stored

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from typing import Final

    from ...sansio.model.provider import Provider
    from .findings import Finding

_STYLES: Final = {State.OK: "good", State.WARNING: "warn", State.PROBLEM: "bad"}


def run(arguments: argparse.Namespace) -> int:
    """Check everything, show the findings, and return the exit code: failure if there is a problem."""
    provider = _provider_from(arguments)
    if arguments.json:
        findings = list(_findings(arguments, provider))
        print_out(json.dumps(_content(findings)))
        return _exit_code(findings)
    terminal = Terminal(sys.stdout)
    findings = []
    for finding in _findings(arguments, provider):
        findings.append(finding)
        terminal.line(f"{finding.state}: {finding.text}", _STYLES[finding.state])
        if finding.advice:
            terminal.line(f"- {finding.advice}")
    terminal.line()
    terminal.line(_summary(findings))
    if not arguments.online:
        terminal.line("The provider and the clock were not checked. To do that, add --online.")
    terminal.close()
    return _exit_code(findings)


def _provider_from(arguments: argparse.Namespace) -> Provider:
    """Return the provider that the options name. A wrong option ends the process with a usage error."""
    if is_for_codex(arguments):
        return provider_from(arguments)
    from ..providers.provider import provider_of  # noqa: PLC0415 - not for the default provider
    from ..providers.settings import Settings  # noqa: PLC0415

    try:
        return provider_of(Settings(arguments))
    except ValueError as error:
        arguments.usage_error(str(error))
        raise


def _findings(arguments: argparse.Namespace, provider: Provider) -> Iterator[Finding]:
    port = provider.port if arguments.port is None else arguments.port
    yield from check_program()
    yield from check_port(port, provider.fallback_port if arguments.port is None else None)
    yield from check_browser(has_device_codes=not provider.dialect.issues_clients)
    yield from check_proxy(provider)
    yield from check_certificates()
    yield from check_folders(arguments)
    yield from check_stored(arguments)
    yield from check_codex(arguments.home)
    yield from check_variables()
    if arguments.online:
        yield from check_provider(provider)


def _summary(findings: list[Finding]) -> str:
    counts = Counter(finding.state for finding in findings)
    found = [(counts[state], state) for state in (State.PROBLEM, State.WARNING) if counts[state]]
    words = " and ".join(f"{count} {state}{'s' if count > 1 else ''}" for count, state in found)
    return f"Found: {words}." if words else "No problem was found."


def _content(findings: list[Finding]) -> dict[str, object]:
    listed = [
        {"check": each.check, "state": each.state, "text": each.text, "advice": each.advice or None}
        for each in findings
    ]
    return {"findings": listed, "message": _summary(findings) if _exit_code(findings) else None}


def _exit_code(findings: list[Finding]) -> int:
    is_ill = any(finding.state is State.PROBLEM for finding in findings)
    return exit_codes.FAILURE if is_ill else exit_codes.SUCCESS
