"""What if: recorded demand and auctions played again under other orders and bids, and what of it is assumption."""
