"""The engine on the real broker, against the frameworks that people would pick instead: `make bench`."""
