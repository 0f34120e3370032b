"""One file per agent: which topics in, which out, and the pure step between."""
