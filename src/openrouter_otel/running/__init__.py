"""`openrouter-otel run`: a program is started with measuring switched on, and its bill is told when it ends."""
