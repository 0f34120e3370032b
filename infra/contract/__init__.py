"""What subscribers and producers can rely on: schemas, examples, headers and wire format, all made from the records."""
