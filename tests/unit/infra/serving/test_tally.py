"""Counts by what they are asked by later."""

from infra.serving.tally import Tally
from streams.records import DeadLetter


def test_a_transaction_counts_by_topic_and_reason() -> None:
    letter = DeadLetter(topic="orders", partition=0, offset=1, reason="not-json", detail="", value=None, at=1)
    tally = Tally()
    tally.records["orders", "orders"] += 3
    for _ in range(2):
        tally.committed({"sku-demand": ["a line"]}, [letter], {"duplicate": 2})
    assert tally.outputs == {"sku-demand": 2}
    assert tally.letters == {("orders", "not-json"): 2}
    assert tally.ignored == {"duplicate": 4}
    assert tally.snapshot() == (3, 2, 2, 2)
