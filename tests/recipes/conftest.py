"""A folder with the recipes in it, and whom they talk to."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from endpoint.conftest import host
from fake_openrouter import FakeOpenRouter
from otlp_receiver import OtlpReceiver
from recipes.running import Recipe
from recipes_page import RECIPES, Command

__all__ = ["host"]

Start = Callable[..., Recipe]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a reader has put the files of examples/recipes."""
    return Path(shutil.copytree(RECIPES, tmp_path / "recipes"))


@pytest.fixture
def journal(folder: Path) -> Path:
    """Where the recipes keep their journal."""
    return folder / "usage.db"


@pytest.fixture
def start(openrouter: FakeOpenRouter, folder: Path) -> Iterator[Start]:
    """Starts a command of the page, with more words and variables."""
    with ExitStack() as stack:

        def begin(command: Command, *more: str, **variables: str) -> Recipe:
            longer = Command(command.variables, [*command.words, *more])
            return stack.enter_context(Recipe(longer, folder, openrouter, **variables))

        yield begin


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    """Takes what is pushed."""
    with OtlpReceiver() as listening:
        yield listening
