"""A worker: what it reads and when, one batch as one transaction, and what ends it."""
