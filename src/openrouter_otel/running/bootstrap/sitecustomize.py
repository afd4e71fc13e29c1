"""Gets us into every Python that `openrouter-otel run` or `doctor` starts, and into those that these start.

Its folder stands first on PYTHONPATH, so Python imports this file as it begins. Until a program imports openai it costs
next to nothing. A `sitecustomize` of the user's own is run as if we were not here.
"""

import importlib.machinery
import importlib.util
import os
import sys
import types

_HERE = os.path.dirname(os.path.abspath(__file__))


def _begin(module: types.ModuleType) -> None:
    try:
        from openrouter_otel.running.begin import begin

        begin(module.__name__)
    except Exception as error:  # importing openai must not fail because of us
        _tell(f"calls are not measured: {error}")


def _tell(what: str) -> None:
    print(f"openrouter-otel: {sys.executable}: {what}", file=sys.stderr)


def _run_theirs() -> None:
    elsewhere = [path for path in sys.path if os.path.abspath(path) != _HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", elsewhere)
    if spec is not None and spec.loader is not None:
        sys.modules["sitecustomize"] = theirs = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(theirs)


if importlib.util.find_spec("openrouter_otel") is None:
    if importlib.util.find_spec("openai") is not None:
        _tell("calls are not measured: openrouter-otel is not installed there")
else:
    from wrapt import register_post_import_hook

    register_post_import_hook(_begin, "openai")
    register_post_import_hook(_begin, "openrouter_otel")
_run_theirs()
