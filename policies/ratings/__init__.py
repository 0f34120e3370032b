"""Ratings of new users: a regression whose prior is learned from those before."""
