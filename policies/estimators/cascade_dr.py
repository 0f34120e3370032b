"""Cascade doubly robust: per-decision DR along the slots of a slate that a user looks through from the top.

Kiyohara, Saito, Matsuhiro, Narita, Shimizu and Yamamoto, Doubly robust off-policy evaluation for ranking policies under
the cascade behavior model, 2022.
"""

from dataclasses import replace
from typing import Final

from policies.estimators.per_decision import PER_DECISION_DR

CASCADE_DR: Final = replace(PER_DECISION_DR, name="cascade-dr")
