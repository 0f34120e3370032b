"""What may be trained on ends before what is measured begins."""

from infra.evaluate.journey import until
from policies.tasks.shop import Basket


def test_the_first_part_of_the_span_ends_before_the_rest_begins() -> None:
    log = [Basket(1000 + at, "u", ["a"]) for at in range(0, 101, 10)]
    assert [basket.at for basket in until(log, 0.6)] == [1000, 1010, 1020, 1030, 1040, 1050]
