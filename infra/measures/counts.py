"""How much of what: messages by topic, decisions and outcomes by domain, dead letters by reason."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from streams.topics import DEAD_LETTERS, DECISIONS, OUTCOMES, TOPICS, Topic

_INPUTS: Final = tuple(topic.name for topic in TOPICS if topic.role == "input")
_ACTIONS: Final = tuple(topic.name for topic in TOPICS if topic.role == "action")


class _Domain(msgspec.Struct):
    """All that is read of a decision: it is the longest of the records, and most of it does not matter here."""

    domain: str


class _Reward(msgspec.Struct):
    domain: str
    reward: float
    label: str


class _Letter(msgspec.Struct):
    reason: str


@dataclass(slots=True)
class Rewards:
    """Final outcomes of one domain."""

    n: int = 0
    total: float = 0.0
    positive: int = 0


@dataclass(slots=True)
class Counts:
    """Counts per topic, and within the log topics by what each message is about."""

    topics: Counter[str] = field(default_factory=Counter[str])
    decisions: Counter[str] = field(default_factory=Counter[str])
    rewards: dict[str, Rewards] = field(default_factory=dict[str, Rewards])
    corrections: int = 0
    reasons: Counter[str] = field(default_factory=Counter[str])
    _domain: msgspec.json.Decoder[_Domain] = field(default_factory=lambda: msgspec.json.Decoder(_Domain))
    _reward: msgspec.json.Decoder[_Reward] = field(default_factory=lambda: msgspec.json.Decoder(_Reward))
    _letter: msgspec.json.Decoder[_Letter] = field(default_factory=lambda: msgspec.json.Decoder(_Letter))

    def observe(self, topic: Topic, value: bytes | None) -> None:
        """Count one message. Raises msgspec.DecodeError where a log record can't be read, once it is counted."""
        self.topics[topic.name] += 1
        if value is None:
            return
        if topic is DECISIONS:
            self.decisions[self._domain.decode(value).domain] += 1
        elif topic is OUTCOMES:
            self._observe_outcome(self._reward.decode(value))
        elif topic is DEAD_LETTERS:
            self.reasons[self._letter.decode(value).reason] += 1

    def _observe_outcome(self, outcome: _Reward) -> None:
        if outcome.label != "final":
            self.corrections += 1
            return
        rewards = self.rewards.setdefault(outcome.domain, Rewards())
        rewards.n += 1
        rewards.total += outcome.reward
        rewards.positive += outcome.reward > 0

    def result(self) -> dict[str, Any]:
        return {
            "events_in": {name: self.topics[name] for name in _INPUTS},
            "actions_out": {name: self.topics[name] for name in _ACTIONS},
            "decisions": self.topics[DECISIONS.name],
            "decisions_by_domain": dict(sorted(self.decisions.items())),
            "outcomes": self.topics[OUTCOMES.name],
            "outcomes_by_domain": {
                domain: {"n": kept.n, "mean_reward": kept.total / kept.n, "positive": kept.positive}
                for domain, kept in sorted(self.rewards.items())
            },
            "corrections": self.corrections,
            "dead_letters": self.topics[DEAD_LETTERS.name],
            "dead_letter_reasons": dict(sorted(self.reasons.items())),
        }
