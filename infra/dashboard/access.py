"""Who may look, and who may act: one token, sessions in memory, and no write that another site could have sent.

Without a token the page is on loopback only and changes nothing. With one, changes need it; and where the page is
bound beyond loopback, so does looking.
"""

import hmac
import secrets
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from infra.errors import UserError

COOKIE: Final = "tradewind_session"
MARK: Final = "x-tradewind"  # a header that no form and no other site can send: a browser asks us first, and we refuse
SESSION_S: Final = 12 * 3600
LEAST_TOKEN: Final = 16  # characters

_SESSIONS: Final = 100
_TRIES: Final = 10  # wrong tokens a minute, from anywhere: beyond them none is looked at
_MINUTE_S: Final = 60.0


class Refused(Exception):  # noqa: N818 # it names what became of the request, not what went wrong here
    """A request that isn't met; `status` is HTTP's."""

    def __init__(self, status: int, told: str) -> None:
        super().__init__(told)
        self.status = status


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def check(host: str, token: str | None) -> None:
    """Raise UserError where the page would be open to others without a token, or the token is too short to be one."""
    if token is not None and len(token) < LEAST_TOKEN:
        raise UserError(f"TRADEWIND_DASHBOARD_TOKEN has fewer than {LEAST_TOKEN} characters: set a longer one")
    if token is None and not is_loopback(host):
        raise UserError(
            f"the dashboard would be open to anyone at {host}: set TRADEWIND_DASHBOARD_TOKEN, or leave --host at "
            "127.0.0.1"
        )


@dataclass(slots=True)
class Access:
    """Times are seconds of a clock that never goes back, handed in."""

    token: str | None
    guarded: bool  # whether looking needs the token too
    _sessions: OrderedDict[str, float] = field(default_factory=OrderedDict[str, float])  # until when
    _wrong: deque[float] = field(default_factory=lambda: deque[float](maxlen=_TRIES))

    def sign_in(self, token: str, now: float) -> str:
        """The id of a new session. Raises Refused."""
        self._verify(token, now)
        name = secrets.token_urlsafe(32)
        self._sessions[name] = now + SESSION_S
        while len(self._sessions) > _SESSIONS:
            self._sessions.popitem(last=False)
        return name

    def sign_out(self, session: str | None) -> None:
        self._sessions.pop(session or "", None)

    def is_signed_in(self, session: str | None, now: float) -> bool:
        return self._sessions.get(session or "", 0.0) > now

    def may_look(self, session: str | None, bearer: str | None, now: float) -> None:
        """Raise Refused where looking needs a token and none is there."""
        if self.guarded and not self.is_signed_in(session, now):
            if bearer is None:
                raise Refused(401, "sign in with the token first")
            self._verify(bearer, now)

    def may_act(self, session: str | None, bearer: str | None, mark: str | None, now: float) -> None:
        """Raise Refused unless this request carries the token itself, or a session and the mark of our own page."""
        if self.token is None:
            raise Refused(403, "changes are off: start the dashboard with TRADEWIND_DASHBOARD_TOKEN set")
        if bearer is not None:
            self._verify(bearer, now)
            return
        if not self.is_signed_in(session, now):
            raise Refused(401, "sign in with the token first")
        if not mark:
            raise Refused(403, f"the header {MARK} is missing: this request may come from another site")

    def _verify(self, token: str, now: float) -> None:
        if self.token is None:
            raise Refused(403, "there is nothing to sign in to: no TRADEWIND_DASHBOARD_TOKEN is set")
        if len(self._wrong) == _TRIES and now - self._wrong[0] < _MINUTE_S:
            raise Refused(429, "too many wrong tokens: wait a minute")
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            self._wrong.append(now)
            raise Refused(401, "that is not the token")
