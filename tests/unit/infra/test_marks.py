"""Which dead letters were put back: known for as long as they are in the log, and no longer."""

from infra.marks import Marks, key_of, value_of
from streams.records import DeadLetter


def letter(offset: int, topic: str = "orders") -> DeadLetter:
    return DeadLetter(topic=topic, partition=1, offset=offset, reason="not-json", detail="", value=None, at=0)


def test_a_mark_is_of_one_letter_and_not_of_its_place() -> None:
    marks = Marks()
    marks.take(key_of(0, 17), value_of(letter(5)))
    assert marks.has(0, 17, letter(5))
    assert not marks.has(0, 17, letter(6))  # the topic was made anew
    assert not marks.has(0, 18, letter(5))
    assert not marks.has(1, 17, letter(5))


def test_marks_of_letters_that_left_the_log_are_not_held_and_their_letters_are_passed_over() -> None:
    marks = Marks({0: 10, 1: 0})
    for offset in range(20):
        marks.take(key_of(0, offset), value_of(letter(offset)))
        marks.take(key_of(1, offset), value_of(letter(offset)))
    assert len(marks) == 10 + 20
    assert marks.outdated == {key_of(0, offset) for offset in range(10)}
    assert marks.has(0, 9, letter(99))  # whoever still holds it must not put it back: its mark may be gone
    assert not marks.has(0, 10, letter(99))


def test_a_mark_that_was_taken_away_is_not_outdated_again() -> None:
    marks = Marks({0: 10})
    marks.take(key_of(0, 3), value_of(letter(3)))
    marks.take(key_of(0, 3), None)
    assert (marks.outdated, len(marks)) == (set(), 0)
