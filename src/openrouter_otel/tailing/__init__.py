"""`openrouter-otel tail`: calls are printed as they are written to a journal."""
