"""People in the data: pseudonyms on entry, who keeps what for how long, and forgetting with proof."""
