"""A task's state on this machine: entries at hand, the rest in an embedded store. The truth is in the changelog."""
