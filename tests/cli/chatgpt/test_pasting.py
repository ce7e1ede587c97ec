"""A browser on another machine: the address is pasted, and may be cut off before the client id, which comes last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ..conftest import called, run
from .support import ADA

if TYPE_CHECKING:
    from .support import Computer


def test_a_cut_off_address_does_not_end_the_login(computer: Computer) -> None:
    arguments = ("login", "--json", "--no-browser", *computer.at, "--driver", computer.driver)
    with run(*arguments, **computer.folders) as command:
        callback = ADA.callback(command.event("listening")["url"])
        whole = callback.partition("&client_id=")[0]
        for cut in (whole, f"{whole}&client_id=", f"{whole}&client_id=oaiapp", whole.partition("&state=")[0]):
            code, out, err = called("complete", given=cut, **computer.folders)
            computer.screen += [out, err]
            assert code == 1
            assert computer.forms("authorization_code") == []
        code, out, err = called("complete", given=callback, **computer.folders)
        assert (code, out, err) == (0, "", "Done: the waiting sign-in is complete.\n")
        assert command.end()[0] == 0
    (registration,) = computer.provider.registrations
    assert command.events[-1]["client_id"] == registration.client_id


@pytest.mark.parametrize("computer", ["threaded"], indirect=True)
def test_a_later_login_needs_no_client_id_in_the_address(computer: Computer) -> None:
    computer.signed_in()
    arguments = ("login", "--json", "--no-browser", *computer.at)
    with run(*arguments, **computer.folders) as command:
        url = command.event("listening")["url"]
        assert "_hint=" not in url
        assert called("complete", given=ADA.callback(url), **computer.folders)[0] == 0
        assert command.end()[0] == 0


@pytest.mark.parametrize("computer", ["threaded"], indirect=True)
def test_in_a_container_no_option_is_advised_that_would_be_refused(computer: Computer) -> None:
    arguments = ("login", "--json", "--no-browser", *computer.at)
    with run(*arguments, **computer.folders, container="podman") as command:
        callback = ADA.callback(command.event("listening")["url"])
        assert called("complete", given=callback, **computer.folders)[0] == 0
        code, err = command.end()
    assert code == 0
    assert "This looks like a container. A browser on another machine works, too. It ends on a page" in err
    assert "--port" not in err
