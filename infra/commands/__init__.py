"""One file per sub-command of `tradewind`: its options, and what it prints. The work itself is elsewhere."""
