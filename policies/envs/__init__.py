"""The tasks as gymnasium sees them: thin coats over `policies.tasks`, to try an agent of your own."""
