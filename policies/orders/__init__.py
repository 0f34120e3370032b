"""Replenishment: beliefs about demand, and the orders that follow."""
