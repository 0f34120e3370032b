"""The next basket: what is kept of households and the shop, and how it is ranked."""
