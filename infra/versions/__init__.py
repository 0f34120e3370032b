"""Versions of the policy: the log of them, priors from files, and what a promotion asks for."""
