"""Timers: one that is taken back doesn't fire, and leaves nothing behind."""

from agents.contract import Draft, Input
from agents.fold import RESOLUTION, cancel_timer, fold, set_timer
from streams.records import UserEvent
from streams.times import HOUR, MINUTE, EventTime
from streams.topics import USER_EVENTS

START = 1_483_228_800_000


class Wall:
    """A state with timers, told the time by events."""

    def __init__(self) -> None:
        self.entries: dict[str, bytes] = {}
        self.fired: list[tuple[str, int]] = []
        self.to(START)

    def to(self, at: int) -> None:
        draft = Draft(self.entries)
        event = UserEvent(event_id="e", user_id="u", type="search", occurred_at=EventTime(at))
        given = Input(USER_EVENTS, 0, 0, "u", event)
        fold(draft, [given], 0, on_record=lambda _, __: None, on_timer=self._fire)
        self._keep(draft)

    def set(self, name: str, at: int) -> None:
        draft = Draft(self.entries)
        set_timer(draft, name, at)
        self._keep(draft)

    def cancel(self, name: str, at: int) -> None:
        draft = Draft(self.entries)
        cancel_timer(draft, name, at)
        self._keep(draft)

    def _fire(self, name: str, at: int) -> None:
        self.fired.append((name, at))

    def _keep(self, draft: Draft) -> None:
        for key, raw in draft.writes().items():
            if raw is None:
                del self.entries[key]
            else:
                self.entries[key] = raw

    @property
    def timers(self) -> list[str]:
        return [key for key in self.entries if key.startswith("timers/")]


def test_a_timer_taken_back_doesnt_fire_and_the_others_do() -> None:
    wall = Wall()
    for name in ("a", "b", "c"):
        wall.set(name, START + 2 * HOUR)
    wall.cancel("b", START + 2 * HOUR)
    wall.to(START + 3 * HOUR)
    assert sorted(wall.fired) == [("a", START + 2 * HOUR), ("c", START + 2 * HOUR)]


def test_the_last_timer_of_an_hour_leaves_nothing_behind() -> None:
    wall = Wall()
    wall.set("a", START + 2 * HOUR)
    wall.cancel("a", START + 2 * HOUR)
    assert wall.timers == []


def test_a_timer_set_too_late_for_its_time_is_found_where_it_is() -> None:
    wall = Wall()
    wall.to(START + 5 * HOUR + MINUTE)
    for name in ("late", "kept"):
        wall.set(name, START)
    wall.to(START + 5 * HOUR + 2 * MINUTE)
    wall.cancel("late", START)
    wall.to(START + 9 * HOUR)
    assert wall.fired == [("kept", START + 6 * HOUR)]
    assert wall.timers == []


def test_what_has_fired_or_was_never_set_is_not_taken_back() -> None:
    wall = Wall()
    wall.set("a", START + HOUR)
    wall.to(START + 2 * RESOLUTION)
    wall.set("b", START + 5 * HOUR)
    before = dict(wall.entries)
    wall.cancel("a", START + HOUR)
    wall.cancel("never", START + 5 * HOUR)
    assert wall.entries == before
    assert wall.fired == [("a", START + HOUR)]
