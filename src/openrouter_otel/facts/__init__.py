"""From SDK objects and wire shapes to plain values; pure: no clock, no I/O, no OpenTelemetry, no openai."""
