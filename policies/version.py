"""A version of the policy: immutable, numbered, hashed. The seam between choosing and learning."""

from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

import orjson

Priors = dict[str, Any]  # per domain: plain numbers and lists of them, so that a version travels as JSON


@dataclass(frozen=True, kw_only=True)
class PolicyVersion:
    """What `step` chooses by. A new version is a new object; the one in use is never changed.

    `priors` holds, per domain, what a new entity's belief starts from.
    """

    number: int
    parent: int
    priors: Priors
    published_at: int = 0
    evidence: dict[str, Any] = field(default_factory=dict[str, Any])

    @cached_property
    def sha256(self) -> str:
        """The hash of what chooses: the number, its parent and the priors."""
        body = {"number": self.number, "parent": self.parent, "priors": self.priors}
        return sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def prior(self, domain: str, default: Priors) -> Priors:
        """The prior of one domain; `default`, the one that ships with the domain, where nothing was learned yet."""
        return self.priors.get(domain, default)


SHIPPED: Final = PolicyVersion(number=0, parent=0, priors={})
