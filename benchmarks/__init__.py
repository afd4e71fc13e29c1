"""What we cost and what we see, measured beside our rivals: ``overhead`` asks the one, ``coverage`` the other."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
