"""How a login ended: with credentials, or with a failure that explains itself."""

from __future__ import annotations

from ..base.records import Record
from ..base.text import clean_text
from .failures import DOING, advice_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from ..callback.responses import Response
    from ..model.account import Account
    from ..model.credentials import Credentials
    from .failures import LoginFailureCategory, LoginFailureStep
    from .states import Trigger


class LoginSuccess(Record):
    """The credentials are stored."""

    credentials: Credentials
    account: Account


class LoginFailure(Record):
    """Why a login failed, or a problem in a login that goes on."""

    step: LoginFailureStep
    category: LoginFailureCategory
    message: str
    """What happened, as clean text: it has no secret and no control character."""
    trigger: Trigger | None = None
    """The trigger that led to the failure. It is more detailed than the category, but not stable."""
    help_url: str | None = None
    """A page of the provider that may help."""
    allowed_workspaces: tuple[str, ...] = ()
    """The workspaces that the login allows, if the account is in another one. Traces have them among the options."""

    @property
    def phase(self) -> LoginFailureStep:
        """The step, under its old name. Deprecated."""
        from ..base.deprecation import warn_deprecated  # noqa: PLC0415 - few programs need it

        warn_deprecated("LoginFailure.phase", "LoginFailure.step")
        return self.step

    @property
    def title(self) -> str:
        """What happened, in a few words."""
        return advice_for(self.category, self.message).title

    @property
    def hint(self) -> str:
        """One concrete thing to do."""
        return advice_for(self.category, self.message).hint

    def describe(self) -> str:
        """Return the default text for a person: title, step, hint, link to help, and details."""
        lines = [f"{self.title}.", f"This happened while {DOING[self.step]}. {self.hint}"]
        if self.help_url:
            lines.append(f"Help: {self.help_url}")
        if self.allowed_workspaces:
            lines.append(f"Allowed: {clean_text(', '.join(self.allowed_workspaces), limit=1024)}")
        lines.append(f"Details: {self.category} - {self.message}")
        return "\n".join(lines)

    def response(self) -> Response:
        """Return the page for a browser."""
        # A session reports failures too, and has no pages.
        from ..callback.pages import Explanation  # noqa: PLC0415
        from ..callback.responses import failure  # noqa: PLC0415

        explanation = Explanation(
            title=self.title,
            hint=self.hint,
            message=self.message,
            category=self.category,
            help_url=self.help_url,
        )
        return failure(advice_for(self.category, self.message).status, explanation)


class LoginCancellation(Record):
    """The login was cancelled before anything was stored."""

    failure: LoginFailure
    """The step and the reason. The category is ``login_cancelled``."""


LoginOutcome: TypeAlias = LoginSuccess | LoginFailure | LoginCancellation
"""How a login ended. `wait` returns the credentials of a `LoginSuccess`, and raises `LoginFailed` otherwise."""
