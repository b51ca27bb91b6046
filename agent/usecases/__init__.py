"""The verbs. Each takes its services as arguments and is the only place that orders steps."""
