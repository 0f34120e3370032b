"""What is believed of each entity, by the kind of outcome it was learned from. Batched over entities; no clock."""
