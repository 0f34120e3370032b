"""The Kafka cluster as everything here meets it: clients, topics, rights, keys and headers."""
