"""How single values are written for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

NOTHING: Final = "-"
CHEAP: Final = Decimal("0.01")  # USD
SEEN: Final = Decimal("0.0005")  # the least share that rounds to a tenth of a percent
BARS: Final = "·▁▂▃▄▅▆▇█"
VERDICTS: Final = {"exact": "EXACT", "lower_bound": "LOWER BOUND", "incomplete": "INCOMPLETE"}


def verdict(word: str) -> str:
    """The report's verdict as a reader first sees it."""
    return VERDICTS[word]


def source(told: Mapping[str, str]) -> str:
    """Where the figures come from."""
    return told.get("url") or told["file"]


def safe(text: str) -> str:
    """Foreign text with every character that a terminal might obey or hide spelled out."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def moment(iso: str) -> str:
    """Day and minute of an ISO time."""
    return iso[:16].replace("T", " ")


def second(iso: str) -> str:
    """Day and second of an ISO time."""
    return iso[:19].replace("T", " ")


def span(period: Mapping[str, str]) -> str:
    """A period's ends."""
    return f"{moment(period['since'])} to {moment(period['until'])}"


def count(number: int) -> str:
    """A whole number with its thousands apart."""
    return f"{number:,}"


def money(amount: Decimal) -> str:
    """USD to a millionth: calls are cheap."""
    return f"{amount:,.6f}"


def exact(amount: Decimal) -> str:
    """Every digit and none more, with at least one after the point; for machines."""
    whole, _, fraction = f"{amount:f}".partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"


def signed(amount: Decimal) -> str:
    """USD more or less than something else."""
    return f"{amount:+,.6f}" if amount else "0"


def money_if_known(amount: Decimal | None) -> str:
    """USD, or the word for not knowing."""
    return "unknown" if amount is None else money(amount)


def price(amount: Decimal | None) -> str:
    """USD to a tenth of a cent, as price lists have it."""
    return NOTHING if amount is None else f"{amount:,.3f}"


def share(part: Decimal | None) -> str:
    """A part of a whole; little is not nothing."""
    if part is None:
        return NOTHING
    return "<0.1%" if 0 < part < SEEN else f"{part:.1%}"


def change(ratio: Decimal | None) -> str:
    """More or less than before."""
    return "none before" if ratio is None else f"{ratio:+,.1%}"


def failed(errors: int, rate: Decimal) -> str:
    """Errors with their share of the requests."""
    return f"{errors:,} ({share(rate)})" if errors else "0"


def ms(duration: float | None) -> str:
    """Whole milliseconds."""
    return NOTHING if duration is None else f"{duration:,.0f}"


def speed(tokens: float | None) -> str:
    """Tokens a second."""
    return NOTHING if tokens is None else f"{tokens:,.1f}"


def bars(levels: Iterable[int]) -> str:
    """Heights 0 to 8 as a line of bars."""
    return "".join(BARS[level] for level in levels)


def cents(amount: Decimal) -> str:
    """USD to the cent, for what is a guess anyway."""
    return f"{amount:,.2f}"


def each(amount: Decimal | None) -> str:
    """USD for one call, to a millionth."""
    return NOTHING if amount is None else money(amount)


def usd(amount: Decimal) -> str:
    """USD, to the millionth where it is less than a cent."""
    if not amount:
        return "$0"
    return f"${amount:,.4f}" if amount >= CHEAP else f"${amount:,.6f}"
