"""A shop's own messages as our records: declared in a file, compiled once, applied where bytes come in."""
