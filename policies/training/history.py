"""Attention over a user's last items, meta-trained over drawn shops: a part of the features, shipped with the package.

It is no part of a policy version: two versions choose from the same features (docs/adr/0012).
"""

from policies.attention.training import train

__all__ = ["train"]
