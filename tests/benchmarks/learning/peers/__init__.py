"""Other systems, each in an environment of its own, that play the same tasks."""
