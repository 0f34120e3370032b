"""Facts and time: what happened, when, and what is known because of it. No torch, no Kafka client, no choosing."""
