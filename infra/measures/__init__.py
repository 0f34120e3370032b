"""What the topics say about how well Tradewind did. Reads records only; it never asks an agent."""
