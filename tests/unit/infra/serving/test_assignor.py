"""Tasks are shared out whole, evenly, and with as little moving as can be."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from infra.serving.assignor import Place, TaskAssignor, share_out

PLACES = st.dictionaries(st.sampled_from(["ads", "items", "orders", "users"]), st.integers(1, 9), min_size=1).map(
    lambda counts: {Place(agent, number) for agent, count in counts.items() for number in range(count)}
)
MEMBERS = st.integers(1, 6).map(lambda count: [f"m{number}" for number in range(count)])


@given(PLACES, MEMBERS, st.randoms(use_true_random=False))
def test_each_task_has_one_owner_and_the_load_is_even(places: set[Place], members: list[str], chance: Random) -> None:
    held = {member: {place for place in sorted(places) if chance.random() < 0.3} for member in members}
    given_out = share_out(places, held)
    assert sorted(place for mine in given_out.values() for place in mine) == sorted(places)
    for agent in {place.agent for place in places}:
        counts = [sum(place.agent == agent for place in mine) for mine in given_out.values()]
        assert max(counts) - min(counts) <= 1
    totals = [len(mine) for mine in given_out.values()]
    assert max(totals) - min(totals) <= 1


@given(PLACES, MEMBERS)
def test_where_nothing_changed_nothing_moves(places: set[Place], members: list[str]) -> None:
    first = share_out(places, {member: set() for member in members})
    assert share_out(places, first) == first


@given(PLACES, MEMBERS)
def test_a_newcomer_takes_from_others_and_nobody_swaps(places: set[Place], members: list[str]) -> None:
    before = share_out(places, {member: set() for member in members})
    after = share_out(places, {**before, "newcomer": set()})
    moved = sum(len(after[member] - before[member]) for member in members)
    assert moved <= len({place.agent for place in places})  # at most the odd one of each agent


class _Cluster:
    def __init__(self, **counts: int) -> None:
        self._counts = counts

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return set(range(self._counts[topic])) if topic in self._counts else None


def test_inputs_that_are_read_together_go_together() -> None:
    assignor = TaskAssignor({"bidding": ("ads", "campaigns"), "orders": ("orders",)})
    cluster = _Cluster(ads=4, campaigns=4, orders=4)
    members = {name: assignor.metadata(["ads", "campaigns", "orders"]) for name in ("a", "b", "c")}
    for assignment in assignor.assign(cluster, members).values():
        topics = dict(assignment.assignment)
        assert topics.get("ads") == topics.get("campaigns")


def test_a_member_tells_what_it_holds() -> None:
    assignor = TaskAssignor({"bidding": ("ads", "campaigns")})
    cluster = _Cluster(ads=4, campaigns=4)
    alone = assignor.assign(cluster, {"a": assignor.metadata(["ads", "campaigns"])})["a"]
    assignor.on_assignment(alone)
    newcomer = TaskAssignor({"bidding": ("ads", "campaigns")})
    shared = assignor.assign(
        cluster, {"z": assignor.metadata(["ads", "campaigns"]), "a": newcomer.metadata(["ads", "campaigns"])}
    )
    assert len(dict(shared["z"].assignment)["ads"]) == 2
    assert set(dict(shared["z"].assignment)["ads"]) < {0, 1, 2, 3}
