"""The same with unittest: python -m unittest."""

from __future__ import annotations

import unittest

from login_screen import sign_in
from test_login_screen import OPTIONS, FakeScreen

from loginmachine import MemoryStore
from loginmachine.testing import playing, possible_outcomes


class LoginScreenTest(unittest.TestCase):
    """Every outcome of the login screen."""

    def test_every_outcome(self) -> None:
        for name in possible_outcomes(OPTIONS):
            with self.subTest(name), playing(name):
                screen = FakeScreen(cancels=True)
                credentials = sign_in(OPTIONS, MemoryStore(), screen)
                self.assertEqual(screen.lines[-1] == "Welcome!", credentials is not None)
