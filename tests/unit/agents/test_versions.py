"""Every reader of the same log serves the same version, whatever lies in it."""

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

import orjson
import pytest
from msgspec.structs import replace

from agents.versions import Refused, Serving, record_of, turned_down
from policies.version import SHIPPED, PolicyVersion
from streams.records import PolicyVersionRecord
from streams.topics import POLICY_VERSIONS


def version(number: int, parent: PolicyVersion = SHIPPED, log_mu: float = 0.1) -> PolicyVersion:
    priors = {"bidding": {"log_mu": log_mu}}
    return PolicyVersion(number=number, parent=parent.number, parent_sha256=parent.sha256, priors=priors)


ONE = version(1)
TWO = version(2, ONE)


def published(made: PolicyVersion) -> PolicyVersionRecord:
    return record_of(made, "publish", by="learner")


def after(records: Sequence[PolicyVersionRecord]) -> tuple[Serving, list[str]]:
    serving, refused = Serving(), list[str]()
    for record in records:
        try:
            serving.take(record)
        except Refused as problem:
            refused.append(f"{problem.reason}: {problem}")
    return serving, refused


def test_each_follows_its_parent_and_the_one_before_is_kept() -> None:
    serving, refused = after([published(ONE), published(TWO)])
    assert (serving.current.sha256, serving.highest, refused) == (TWO.sha256, 2, [])
    assert serving.previous is not None
    assert serving.previous.sha256 == ONE.sha256


@pytest.mark.parametrize(
    ("late", "reason"),
    [
        (version(1, log_mu=0.7), "older: version 1 is older than version 2"),
        (version(2, log_mu=0.7), "older: version 2 is older"),
        (version(3, ONE), "older: it was made to follow version 1, and version 2 serves"),
        (version(3, version(2, log_mu=0.7)), "older: it was made to follow version 2, and"),
    ],
)
def test_one_that_is_late_is_refused(late: PolicyVersion, reason: str) -> None:
    serving, refused = after([published(ONE), published(TWO), published(late)])
    assert serving.current.sha256 == TWO.sha256
    assert [said.startswith(reason) for said in refused] == [True]


def test_a_copy_is_harmless() -> None:
    serving, refused = after([published(ONE), published(TWO), published(TWO)])
    assert (serving.current.number, refused) == (2, [])
    assert serving.previous is not None
    assert serving.previous.number == 1


def test_a_rollback_holds_until_somebody_promotes() -> None:
    back = record_of(ONE, "rollback", by="ann", at=5, hold=True)
    three = version(3, ONE)
    serving, refused = after([published(ONE), published(TWO), back, published(three)])
    assert serving.current.sha256 == ONE.sha256
    assert refused == ["older: version 1 is held until `tradewind policies promote`"]
    serving, refused = after(
        [published(ONE), published(TWO), back, record_of(ONE, "promote", by="ann", at=6), published(three)]
    )
    assert (serving.current.sha256, refused) == (three.sha256, [])


def test_back_to_what_ships() -> None:
    serving, refused = after([published(ONE), record_of(SHIPPED, "promote", by="ann", at=9), published(version(4))])
    assert (serving.current.number, refused) == (4, [])


def test_a_rejection_changes_nothing() -> None:
    record = replace(published(TWO), act="reject", number=0, artefact="", sha256="")
    assert after([published(ONE), record])[0].current.number == 1


@pytest.mark.parametrize(
    "broken",
    [
        {"sha256": "0" * 64},
        {"artefact": "?"},
        {"artefact": ""},
        {"artefact": "äöü"},
        {"schema": "else/1"},
        {"number": 9},
        {"parent": 9},
        {"number": -2},
        {"number": 10**30},
        {"published_at": 10**30},
        {"published_at": -1},
    ],
)
def test_what_cannot_be_read_is_refused_and_counted(broken: dict[str, Any]) -> None:
    serving, refused = after([published(ONE), replace(record_of(TWO, "promote", by="ann"), **broken)])
    assert serving.current.sha256 == ONE.sha256
    assert len(refused) == 1
    assert serving.refused == {"unreadable": 1}


HEADER: Final = orjson.loads(TWO.raw[8 : 8 + int.from_bytes(TWO.raw[:8], "little")])
TENSOR: Final = {"dtype": "F64", "shape": [], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"__metadata__": None}, "schema None"),
        ({"__metadata__": HEADER["__metadata__"] | {"evidence": "[1]"}}, "its evidence is no object"),
        ({"__metadata__": HEADER["__metadata__"] | {"number": "two"}}, "header can't be read"),
        ({"bidding.log_mu": TENSOR | {"dtype": "C64"}}, "bidding.log_mu is not made of numbers"),
        ({"bidding.log_mu": TENSOR | {"shape": [-1]}}, "not a safetensors artefact"),
        ({"bidding.log_mu": TENSOR | {"shape": [1]}}, "must have []"),
    ],
)
def test_an_artefact_that_no_one_could_have_made_is_refused_with_the_reason(
    broken: dict[str, Any], reason: str
) -> None:
    header = orjson.dumps(HEADER | broken)
    raw = len(header).to_bytes(8, "little") + header + TWO.raw[-8:]
    odd = replace(published(TWO), artefact=b64encode(raw).decode(), sha256=sha256(raw).hexdigest())
    serving, refused = after([published(ONE), odd])
    assert serving.current.sha256 == ONE.sha256
    assert len(refused) == 1
    assert reason in refused[0]


@pytest.mark.parametrize(
    ("evidence", "told"),
    [({"domain": "bidding", "rejected": 3}, ("bidding", 3)), ({"domain": "bidding", "rejected": "x"}, ("bidding", 0))],
)
def test_a_rejection_tells_how_many_there_were(evidence: dict[str, Any], told: tuple[str, int]) -> None:
    assert turned_down(replace(published(TWO), act="reject", number=0, evidence=evidence)) == told


def test_compaction_keeps_every_act_but_old_rejections() -> None:
    acts = [published(ONE), published(TWO), record_of(ONE, "rollback", by="a", at=5), record_of(TWO, "promote", by="a")]
    rejected = replace(published(TWO), act="reject", number=0, evidence={"domain": "bidding"})
    keys = [POLICY_VERSIONS.key(record) for record in [*acts, rejected, replace(rejected, published_at=7)]]
    assert len(set(keys)) == len(acts) + 1


def test_versions_that_an_experiment_takes_are_kept_whether_they_serve_or_not() -> None:
    serving = Serving(wanted=frozenset({2, 9}))
    apart = PolicyVersion(number=9, parent=5, parent_sha256="0" * 64, priors={"bidding": {"log_mu": 0.3}})
    for one in (ONE, TWO):
        serving.take(published(one))
    with pytest.raises(Refused, match="made to follow version 5"):
        serving.take(published(apart))
    assert serving.current.sha256 == TWO.sha256
    assert {number: one.sha256 for number, one in serving.kept.items()} == {2: TWO.sha256, 9: apart.sha256}


def test_a_number_means_the_first_version_that_had_it() -> None:
    """The learner may publish a number at the moment in which somebody offers it: an arm doesn't change its policy."""
    offered, published_too = version(1, log_mu=0.2), published(ONE)
    serving = Serving(wanted=frozenset({1}))
    serving.take(record_of(offered, "offer", by="ann"))
    assert serving.take(published_too)
    assert serving.kept[1].sha256 == offered.sha256
    serving = Serving(wanted=frozenset({1}))
    serving.take(published_too)
    serving.take(record_of(offered, "offer", by="ann"))
    assert serving.kept[1].sha256 == ONE.sha256


def test_what_is_offered_never_serves_but_is_kept_where_an_experiment_takes_it() -> None:
    serving = Serving(wanted=frozenset({1}))
    assert not serving.take(record_of(ONE, "offer", by="ann"))
    assert (serving.current.sha256, serving.highest, serving.acted_at) == (SHIPPED.sha256, 1, 0)
    assert serving.kept[1].sha256 == ONE.sha256
    assert serving.take(published(ONE))  # the same version, as its learner would have it serve
    with pytest.raises(Refused):
        serving.take(replace(record_of(TWO, "offer", by="ann"), artefact="AAAA"))
