"""Copies are known for as long as they can be, and what can no longer be told apart is not acted on."""

from streams.seen import Seen


def test_a_copy_is_known() -> None:
    seen = Seen()
    assert [seen.admit("a", 1), seen.admit("b", 2), seen.admit("a", 1)] == ["new", "new", "duplicate"]


def test_at_least_one_generation_is_remembered() -> None:
    seen = Seen()
    for n in range(1000):
        assert seen.admit(f"e{n}", n, generation=10) == "new"
    assert all(seen.admit(f"e{n}", n, generation=10) == "duplicate" for n in range(990, 1000))


def test_what_is_older_than_the_memory_is_too_late() -> None:
    seen = Seen()
    for n in range(100):
        seen.admit(f"e{n}", n, generation=10)
    assert seen.admit("e5", 5, generation=10) == "too-late"
    assert seen.admit("unknown", 5, generation=10) == "too-late"
    assert seen.admit("fresh", 100, generation=10) == "new"


def test_memory_is_bounded() -> None:
    seen = Seen()
    for n in range(10_000):
        seen.admit(f"e{n}", n, generation=10)
    assert len(seen.young) + len(seen.old) <= 20 * 8
