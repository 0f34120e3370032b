"""Attention over a user's last items, meta-trained over drawn shops: what a shop's own purchases go on from."""

from policies.attention.training import train

__all__ = ["train"]
