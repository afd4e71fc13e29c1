"""What happens in a program that we have started, as soon as it imports openai or us."""

from __future__ import annotations

from openrouter_otel import settings


def begin(imported: str) -> None:
    """Measure the program, or for `openrouter-otel doctor` look at it and leave it as it is."""
    folder = settings.doctor()
    if folder is not None:
        from openrouter_otel.doctoring.inside import witness

        witness(folder).imported(imported)
    elif imported == "openai":
        from openrouter_otel.instrumentor import automatically

        automatically()
