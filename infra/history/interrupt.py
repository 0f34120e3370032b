"""Ctrl-C and SIGTERM as a wish that is asked for, so that a run can put away what it has."""

import signal
import threading
from types import FrameType
from typing import Final, Self

from infra.errors import UserError

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class InterruptedRun(UserError):  # noqa: N818 # it is no error: somebody asked for it
    """A run was ended by a signal. The sentence says how to go on."""


class Wish:
    """Inside the block the first signal is only noted in `came`; a second Ctrl-C interrupts as ever."""

    def __init__(self) -> None:
        self.came = False
        self._before: dict[int, object] = {}

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.came = True
        self._restore()

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in _SIGNALS}
        return self

    def __exit__(self, *error: object) -> None:
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # pyright: ignore[reportArgumentType] # as it was given
        self._before = {}
