"""A logged decision, made again and judged: whether the log is true, and what another policy would have earned on it.

Start reading at `remake.py` (one decision made again), `score.py` (how likely another policy would have chosen the
same), `judge.py` (a decision and its outcome handed on to the estimators), `reproduce.py` (the whole run made again),
`evidence.py` (all that comes of it) and `run.py` (from the options to there).
"""
