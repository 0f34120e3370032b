"""Bidding: paces under a budget, the markets they start from, and what is known of prices and quality."""
