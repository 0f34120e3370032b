"""`tradewind evaluate`: one file a task, arguments in, one plain dict out."""
