"""Recommendation: what a slate is scored by, how it is chosen, and the evidence that a user leaves."""
