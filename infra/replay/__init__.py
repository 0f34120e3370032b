"""The main job without a broker: the same steps over messages from a file or a test, and what came of them."""
