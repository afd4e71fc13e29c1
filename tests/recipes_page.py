"""docs/recipes.md taken apart: what it quotes, and the commands that it gives."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
RECIPES: Final = ROOT / "examples" / "recipes"
PAGE: Final = ROOT / "docs" / "recipes.md"
_QUOTE: Final = re.compile(r"^\[(examples/recipes/\S+)\]\(\.\./\1\)\n\n```(?:python|yaml)\n(.*?)^```$", re.M | re.S)
_COMMAND: Final = re.compile(r"^```sh\n(.*?)\n```$", re.M | re.S)


@dataclass(frozen=True)
class Command:
    """A command of the page: variables, then words; a function's is variables alone."""

    variables: dict[str, str]
    words: list[str]

    @classmethod
    def parse(cls, line: str) -> Command:
        """From a line of a shell."""
        words = shlex.split(line)
        first = next((n for n, word in enumerate(words) if not re.match(r"[A-Z_]+=", word)), len(words))
        return cls(dict(word.split("=", 1) for word in words[:first]), words[first:])


def quotes() -> dict[str, str]:
    """What the page quotes, by the file that it names."""
    return dict(_QUOTE.findall(PAGE.read_text("utf-8")))


def source(path: Path) -> str:
    """A recipe's text; of a notebook, its cells."""
    text = path.read_text("utf-8")
    if path.suffix != ".ipynb":
        return text
    return "\n\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"]) + "\n"


def command(heading: str) -> Command:
    """The one command of a section."""
    [section] = [part for part in PAGE.read_text("utf-8").split("\n## ") if part.startswith(f"{heading}\n")]
    [line] = _COMMAND.findall(section)
    return Command.parse(line)
