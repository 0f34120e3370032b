"""How well it learns: `make learn-bench`. One file a table."""
