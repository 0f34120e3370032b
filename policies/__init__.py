"""Choosing and learning: beliefs, exploration, baselines. No Kafka, no clock, no event."""
