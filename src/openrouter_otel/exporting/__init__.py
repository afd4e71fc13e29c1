"""What `openrouter-otel exporter` serves."""
