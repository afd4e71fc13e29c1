"""``make demo``: the whole path on real parts in about a minute, held against what was charged."""

import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.append(str(REPOSITORY / "tests"))  # the stand-in OpenRouter and the Prometheus process belong to the tests
