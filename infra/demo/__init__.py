"""The demo: real shopping data, and the three neighbours that play it. They meet Tradewind on topics only."""
