"""OpenTelemetry instrumentation for OpenRouter through the openai client."""
