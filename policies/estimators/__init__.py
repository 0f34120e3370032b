"""What another policy would have earned on decisions that were logged: estimators, intervals, and when to refuse."""
