"""What happens at the rows of a login with a device code: their guard and effects, for `effects.Login`."""

from __future__ import annotations

from ..oauth import device_code, token_requests
from ..oauth.device_code import LONGEST_BACK_OFF, POLL_TIMEOUT, SLOW_DOWN
from . import progress
from .actions import Timer
from .state import LoginData

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..oauth.device_code import DeviceRequest
    from .interpretation import Interpretation


class DeviceCodeEffects(LoginData):
    """The part of the model that knows device codes."""

    __slots__ = ()

    def may_use_browser(self, _: Interpretation) -> bool:
        """The caller allows the browser where device codes are not enabled."""
        return self.options.device_code_fallback

    def request_device_code(self, _: Interpretation) -> None:
        self._report(progress.RequestingDeviceCode())
        self._ask(device_code.code_request(self.options.provider), device_code.CODE_REQUEST_TIMEOUT)

    def use_browser_instead(self, step: Interpretation) -> None:
        self._report(progress.UsingBrowserInstead(message=step.message))
        self._bind(self.options.first_port, 1)

    def show_device_code(self, step: Interpretation) -> None:
        assert step.device_code is not None
        device = self.device_code = step.device_code
        self.poll_interval = device.interval
        deadline = self.options.device_deadline
        self._report(
            progress.DeviceCodeShown(
                url=device.verification_url,
                user_code=device.user_code,
                complete_url=device.complete_url,
                expires_in=device.expires_in if deadline is None else min(deadline, device.expires_in),
            )
        )
        self._start(Timer.DEVICE_CODE_EXPIRY, device.expires_in)
        if deadline is not None:
            self._start(Timer.DEADLINE, deadline)
        self._start(Timer.POLL, self.poll_interval)

    def poll(self, _: Interpretation) -> None:
        assert self.device_code is not None
        self._ask(device_code.poll_request(self.options.provider, self.device_code), POLL_TIMEOUT)

    def poll_later(self, _: Interpretation) -> None:
        self.poll_troubles = 0
        self._start(Timer.POLL, self.poll_interval)

    def poll_more_slowly(self, step: Interpretation) -> None:
        self.poll_interval += SLOW_DOWN
        self.poll_later(step)

    def poll_after_trouble(self, step: Interpretation) -> None:
        if not self.poll_troubles:
            self._report(progress.PollingDelayed(message=step.message))
        self.poll_troubles += 1
        # RFC 8628 section 3.5: the interval doubles with each request that fails.
        longest = max(self.poll_interval, LONGEST_BACK_OFF)
        self._start(Timer.POLL, min(self.poll_interval * 2.0 ** min(self.poll_troubles, 10), longest))

    def exchange_device_code(self, step: Interpretation) -> None:
        assert step.device_grant is not None
        self.device_grant = step.device_grant
        self._stop_waiting()
        self._report(progress.DeviceCodeAuthorized())
        self._report(progress.ExchangingCode())
        form = device_code.grant_exchange(self.options.provider, step.device_grant)
        self._send(form, token_requests.TOKEN_EXCHANGE_TIMEOUT)

    def _ask(self, request: DeviceRequest, timeout: float) -> None:
        self._send(request.form, timeout, url=request.url, encoding=request.encoding)
