"""From a Record to telemetry: each emitter is a function of a Record and knows neither the SDK nor its answers."""
