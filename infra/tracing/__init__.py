"""From a traced record to a span, and on to the actions that follow from it. Exported over OTLP where that is asked."""
