"""What usage without a reported cost would come to at list prices: always an estimate, and marked as one.

An estimate can be off: providers of one model differ up to threefold, tiers and cache lifetimes are not in a usage. So
a reported cost always wins, and a price list is never asked on the request path.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from openrouter_otel.facts.reading import field, items, money, text, whole
from openrouter_otel.facts.usage import Usage

FREE: Final = "free"
_ZERO: Final = Decimal(0)


class Prices(NamedTuple):
    """USD per token (and per request) of one model; None: not priced apart.

    Source of the fields: https://openrouter.ai/docs/overview/models, `pricing`.
    """

    prompt: Decimal
    completion: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    reasoning: Decimal | None = None
    audio: Decimal | None = None
    request: Decimal | None = None
    discount: Decimal | None = None

    def of(self, usage: Usage) -> Decimal:
        """What a usage comes to; subsets of the input are priced at their own price instead of the plain one."""
        details = dict(usage.details)
        cost = self._apart(
            usage.input_tokens or 0,
            self.prompt,
            (
                (details.get("cache_read", 0), self.cache_read),
                (details.get("cache_write", 0), self.cache_write),
                (details.get("audio_input", 0), self.audio),
            ),
        )
        cost += self._apart(usage.output_tokens or 0, self.completion, ((details.get("reasoning", 0), self.reasoning),))
        return (cost + (self.request or _ZERO)) * (1 - (self.discount or _ZERO))

    @staticmethod
    def _apart(tokens: int, price: Decimal, subsets: Iterable[tuple[int, Decimal | None]]) -> Decimal:
        cost = _ZERO
        for count, own in subsets:
            if own:
                cost += count * own
                tokens -= count
        return cost + max(tokens, 0) * price


def read_prices(pricing: object) -> Prices | None:
    """A model's ``pricing`` object; None where it does not price tokens (negative and unreadable prices included)."""
    prompt, completion = money(field(pricing, "prompt")), money(field(pricing, "completion"))
    discount = money(field(pricing, "discount"))
    if prompt is None or completion is None or (discount is not None and discount > 1):
        return None
    return Prices(
        prompt,
        completion,
        money(field(pricing, "input_cache_read")),
        money(field(pricing, "input_cache_write")),
        money(field(pricing, "internal_reasoning")),
        money(field(pricing, "audio")),
        money(field(pricing, "request")),
        discount,
    )


Tier = tuple[int, Prices | None]
Catalogue = Mapping[str, tuple[Tier, ...]]


def read_catalogue(models: object) -> dict[str, tuple[Tier, ...]]:
    """OpenRouter's ``/models`` as prices by slug: (input tokens above which they hold, prices), lowest first."""
    catalogue = {}
    for model in items(field(models, "data")):
        slug, pricing = text(field(model, "id")), field(model, "pricing")
        prices = read_prices(pricing)
        if slug and prices is not None:
            catalogue[slug] = ((0, prices), *_tiers(pricing))
    return catalogue


def _tiers(pricing: object) -> Iterable[Tier]:
    """Overrides by the length of the prompt; those that hold at certain hours only are left out.

    Of those that hold together the later one wins, key by key.
    """
    overrides = [
        (above, _members(override))
        for override in items(field(pricing, "overrides"))
        if (above := whole(field(override, "min_prompt_tokens"))) is not None
        and field(override, "utc_start") is None
        and field(override, "utc_days") is None
    ]
    for above in sorted({above for above, _ in overrides}):
        laid_over = dict(_members(pricing))
        for least, members in overrides:
            if least <= above:
                laid_over.update(members)
        yield above, read_prices(laid_over)


def _members(thing: object) -> Mapping[str, object]:
    return thing if isinstance(thing, dict) else {}


def estimate(catalogue: Catalogue, usage: Usage, model: str) -> Decimal | None:
    """A usage at a catalogue's prices; a variant such as ``:nitro`` costs what its model does unless listed."""
    tiers = next((catalogue[slug] for slug in slugs(model) if slug in catalogue), None)
    if tiers is None:
        return None
    *_, prices = (prices for above, prices in tiers if above == 0 or (usage.input_tokens or 0) > above)
    return None if prices is None else prices.of(usage)


def slugs(model: str) -> tuple[str, ...]:
    """Where to look for a model's prices: under its own slug, then without its variant, which no free one costs."""
    base, _, variant = model.partition(":")
    return (model,) if not variant or variant == FREE else (model, base)
