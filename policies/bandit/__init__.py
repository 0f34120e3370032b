"""The linear bandit over tasks: a prior learned across them, and how it explores."""
