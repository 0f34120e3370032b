"""The live page: what the topics say, folded record by record. It is no part of the hot path."""
