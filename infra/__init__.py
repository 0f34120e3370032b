"""What runs it: settings, the Faust app and its transport, state, broker, command line, replay, demo."""
