"""Anyone's log of decisions, read and judged: `tradewind ope`."""
