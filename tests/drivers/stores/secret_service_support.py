"""A session bus with GNOME Keyring, for one test: an own home, nothing that starts by itself, and no process left."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..support import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAMS = ("dbus-daemon", "dbus-send", "gnome-keyring-daemon", "secret-tool")
MISSING = [name for name in PROGRAMS if shutil.which(name) is None]
REASON = f"needs Debian's dbus, gnome-keyring and libsecret-tools; missing: {', '.join(MISSING)}"
PASSWORD = "canary-password"
MESSAGE_LIMIT = 4_000_000
"""Bytes of the largest message on the bus. More closes the connection."""

UNLOCKER = """
import sys, secretstorage
from secretstorage.util import SS_PATH, DBusAddressWrapper, format_secret, open_session
connection = secretstorage.dbus_init()
secret = format_secret(open_session(connection), sys.argv[1].encode(), "text/plain")
service = DBusAddressWrapper(SS_PATH, "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface", connection)
service.call("UnlockWithMasterPassword", "o(oayays)", "/org/freedesktop/secrets/collection/login", secret)
"""
CONFIGURATION = f"""<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir=%s</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
  <limit name="max_incoming_bytes">{MESSAGE_LIMIT}</limit>
  <limit name="max_message_size">{MESSAGE_LIMIT}</limit>
</busconfig>
"""


class Bus:
    """A session bus. Programs that get `environment` use it, and no other."""

    def __init__(self, folder: Path, daemon: subprocess.Popen[str]) -> None:
        self.daemon = daemon
        assert daemon.stdout is not None
        address = daemon.stdout.readline().strip()
        self.home = folder / "home"
        runtime = folder / "run"
        for each in (self.home, runtime):
            each.mkdir(mode=0o700)
        self.environment = {
            "DBUS_SESSION_BUS_ADDRESS": address,
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(runtime),
            "XDG_DATA_HOME": str(self.home / "share"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
        }
        self.service: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run a program to its end."""
        return subprocess.run(
            arguments,
            input=given,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=PATIENCE * 4,
            check=False,
        )

    def start_service(self, password: str | None = PASSWORD) -> None:
        """Start the service. With a password its keyring is unlocked, or made if it is the first time."""
        self.service = subprocess.Popen(
            ["gnome-keyring-daemon", "--foreground", "--components=secrets", *(["--unlock"] if password else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **self.environment},
        )
        assert self.service.stdin is not None
        self.service.stdin.write((password or "").encode())
        self.service.stdin.close()
        question = ("org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets")
        assert eventually(lambda: "true" in self._call(*question))

    def kill_service(self) -> None:
        """End the service as a crash does."""
        if self.service is not None:
            self.service.kill()
            self.service.wait()
            self.service = None

    def pause_service(self) -> None:
        """Let the service answer no more."""
        assert self.service is not None
        self.service.send_signal(signal.SIGSTOP)

    def lock(self) -> None:
        """Lock the keyring, as a person can."""
        service, collection = "/org/freedesktop/secrets", "array:objpath:/org/freedesktop/secrets/collection/login"
        self._call("org.freedesktop.secrets", service, "org.freedesktop.Secret.Service.Lock", collection)

    def unlock(self) -> None:
        """Unlock the keyring, as the right answer to the service's question does."""
        with python(self, UNLOCKER, PASSWORD) as unlocker:
            assert unlocker.communicate(timeout=PATIENCE * 4) == ("", "")

    def lookup(self, *attributes: str) -> str:
        """Return the value of an item, as another program reads it. Empty if there is none."""
        return self.run("secret-tool", "lookup", *attributes).stdout

    def items(self, account: str) -> int:
        """Return how many items there are for an account."""
        found = self.run("secret-tool", "search", "--all", "service", "Codex Auth", "username", account)
        return found.stdout.count("secret = ")

    def _call(self, name: str, path: str, *call: str) -> str:
        done = self.run("dbus-send", "--print-reply", f"--dest={name}", path, *call)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def kill(self) -> None:
        """End the service, then the bus."""
        self.kill_service()
        self.daemon.kill()


@contextlib.contextmanager
def session_bus() -> Iterator[Bus]:
    """Run a session bus, and end every process of it."""
    # Not in the folder of the test: the names of sockets have to be short.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        configuration = folder / "bus.conf"
        configuration.write_text(CONFIGURATION % folder)
        with subprocess.Popen(
            ["dbus-daemon", f"--config-file={configuration}", "--nofork", "--print-address"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as daemon:
            bus = Bus(folder, daemon)
            try:
                yield bus
            finally:
                bus.kill()


def account_in(home: Path) -> str:
    """Return the account of a home folder, as Codex computes it."""
    return "cli|" + hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]


def python(bus: Bus, script: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a Python program on the bus."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, **bus.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
