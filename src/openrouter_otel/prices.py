"""Where estimates come from: OpenRouter's catalogue once it was loaded, else the package `genai-prices`.

Nothing here is on the request path but two dictionary look-ups, and those only for a call that came without a cost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from decimal import Decimal
from importlib.util import find_spec
from typing import Any

from openrouter_otel.exact import exactly
from openrouter_otel.facts.price import Tier, estimate, read_catalogue, slugs
from openrouter_otel.facts.usage import Usage
from openrouter_otel.settings import OPENROUTER_API

_log = logging.getLogger("openrouter_otel")

_catalogue: dict[str, tuple[Tier, ...]] = {}


class PricesError(Exception):
    """OpenRouter's catalogue could not be loaded; the text is one sentence that says why."""


def load_prices(base_url: str = OPENROUTER_API, *, timeout: float = 10.0) -> int:
    """Load today's list prices from OpenRouter's ``/models``, for calls that come without a cost.

    An explicit call, for a program's start: no call of yours ever waits for it.

    Args:
        base_url: of the API.
        timeout: seconds.

    Returns:
        How many models have prices.

    Raises:
        PricesError: the catalogue could not be had; earlier prices stay in use.
    """
    # A program that never asks does not pay for importing what speaks HTTP.
    from openrouter_otel.openrouter_api import OpenRouter, OpenRouterError

    try:
        loaded = read_catalogue(OpenRouter(base_url, timeout=timeout, waits=()).get("/models"))
    except (OpenRouterError, ValueError) as error:
        raise PricesError(f"no prices: {error}") from error
    if not loaded:
        raise PricesError(f"no prices: {base_url} lists no model with prices")
    _catalogue.update(loaded)
    return len(loaded)


def estimator() -> Callable[[Usage, str], Decimal | None]:
    """What prices a usage, or says None; one INFO where the package for it is not installed."""
    listed = _listed() if find_spec("genai_prices") else None
    if listed is None:
        _log.info("calls without a cost stay unpriced: pip install 'openrouter-otel[prices]' to have them estimated")

    def price(usage: Usage, model: str) -> Decimal | None:
        with exactly():
            loaded = estimate(_catalogue, usage, model)
            return listed(usage, model) if loaded is None and listed is not None else loaded

    return price


def _listed() -> Callable[[Usage, str], Decimal | None]:
    modules: list[Any] = []

    def price(usage: Usage, model: str) -> Decimal | None:
        if not modules:
            import genai_prices  # at the first call without a cost: importing it reads its price list

            modules.append(genai_prices)
        details = dict(usage.details)
        counted = modules[0].Usage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=details.get("cache_read"),
            cache_write_tokens=details.get("cache_write"),
        )
        for slug in slugs(model):
            try:
                total: Decimal = modules[0].calc_price(counted, slug, provider_id="openrouter").total_price
            except LookupError:
                continue
            return total
        return None

    return price
