"""The contestants beside Tradewind, each a program of its own in an environment of its own."""
