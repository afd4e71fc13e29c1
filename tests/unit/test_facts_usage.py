"""Usage in every shape that OpenRouter has been seen to tell it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from openai.types import CompletionUsage

from openrouter_otel.facts.usage import Usage, read_usage

FULL: dict[str, Any] = {
    "prompt_tokens": 1200,
    "completion_tokens": 80,
    "total_tokens": 1280,
    "cost": 0.00264,
    "is_byok": False,
    "prompt_tokens_details": {
        "cached_tokens": 800,
        "cache_write_tokens": 10,
        "audio_tokens": 20,
        "image_tokens": 5,
        "video_tokens": 30,
    },
    "completion_tokens_details": {"reasoning_tokens": 40, "image_tokens": 3, "audio_tokens": 2},
    "cost_details": {"upstream_inference_cost": 0.00264, "upstream_inference_prompt_cost": 0.00144},
    "server_tool_use_details": {"web_search_requests": 0},
}
FULL_DETAILS = {
    "cache_read": 800,
    "cache_write": 10,
    "audio_input": 20,
    "image_input": 5,
    "video_input": 30,
    "reasoning": 40,
    "audio_output": 2,
    "image_output": 3,
}


@pytest.mark.parametrize("usage", [FULL, CompletionUsage.model_validate(FULL)], ids=["JSON", "SDK model"])
def test_a_full_usage_is_read_alike_from_json_and_from_the_sdks_model(usage: object) -> None:
    facts = read_usage(usage)

    assert facts is not None
    assert (facts.input_tokens, facts.output_tokens) == (1200, 80)
    assert dict(facts.details) == FULL_DETAILS
    assert Decimal("0.00264") == facts.cost
    assert not facts.byok
    assert facts.provider_cost is None  # without BYOK it repeats the cost: adding it would double the spend


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        # --- nothing told ---
        (None, None),
        ({}, None),
        ({"prompt_tokens": None, "completion_tokens": None, "cost": None}, None),
        ({"is_byok": True}, None),
        ("12 tokens", None),
        ([], None),
        # --- tokens ---
        ({"prompt_tokens": 9, "completion_tokens": 2}, Usage(9, 2)),
        ({"input_tokens": 9, "output_tokens": 2}, Usage(9, 2)),
        ({"prompt_tokens": None, "input_tokens": 9}, Usage(9)),
        ({"prompt_tokens": 0, "completion_tokens": 0, "cost": 0}, Usage(0, 0, (), Decimal(0))),
        ({"prompt_tokens": "9", "completion_tokens": "2.0"}, Usage(9, 2)),
        ({"prompt_tokens": 9.0, "completion_tokens": float("nan")}, Usage(9)),
        ({"prompt_tokens": -9, "completion_tokens": 2}, Usage(None, 2)),
        ({"prompt_tokens": True, "completion_tokens": 2}, Usage(None, 2)),
        ({"total_tokens": 11}, Usage(11)),
        ({"total_tokens": 11, "cost": "0.5"}, Usage(11, None, (), Decimal("0.5"))),
        ({"prompt_tokens": 9, "total_tokens": 11}, Usage(9)),
        ({"completion_tokens": 2, "total_tokens": 11}, Usage(None, 2)),
        # --- details ---
        ({"prompt_tokens_details": None, "completion_tokens": 1}, Usage(None, 1)),
        ({"prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": None}, "prompt_tokens": 1}, Usage(1)),
        ({"prompt_tokens_details": "none", "prompt_tokens": 1}, Usage(1)),
        ({"prompt_tokens_details": {"cached_tokens": -5, "new_tokens": 3}, "prompt_tokens": 1}, Usage(1)),
        (
            {"input_tokens": 9, "input_tokens_details": {"cached_tokens": "4"}},
            Usage(9, None, (("cache_read", 4),)),
        ),
        (
            {"output_tokens": 9, "output_tokens_details": {"reasoning_tokens": 4}},
            Usage(None, 9, (("reasoning", 4),)),
        ),
        # --- money ---
        ({"cost": 4.25e-05}, Usage(cost=Decimal("0.0000425"))),
        ({"cost": "0.000000000001"}, Usage(cost=Decimal("1e-12"))),
        ({"cost": 0}, Usage(cost=Decimal(0))),
        ({"cost": -0.1, "prompt_tokens": 1}, Usage(1)),
        ({"cost": float("nan"), "prompt_tokens": 1}, Usage(1)),
        ({"cost": True, "prompt_tokens": 1}, Usage(1)),
        ({"cost": "free", "prompt_tokens": 1}, Usage(1)),
        # --- BYOK ---
        (
            {"cost": 0.001, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.02}},
            Usage(cost=Decimal("0.001"), byok=True, provider_cost=Decimal("0.02")),
        ),
        (
            {"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": None}},
            Usage(cost=Decimal(0), byok=True),
        ),
        ({"cost": 0, "is_byok": True}, Usage(cost=Decimal(0), byok=True)),
        ({"cost": 0, "is_byok": True, "cost_details": None}, Usage(cost=Decimal(0), byok=True)),
        (
            {"is_byok": True, "cost_details": {"upstream_inference_cost": "0.02"}},
            Usage(byok=True, provider_cost=Decimal("0.02")),
        ),
        ({"cost": 1, "is_byok": None}, Usage(cost=Decimal(1))),
        ({"cost": 1, "is_byok": "true", "cost_details": {"upstream_inference_cost": 1}}, Usage(cost=Decimal(1))),
    ],
)
def test_what_is_not_told_stays_unknown(usage: object, expected: Usage | None) -> None:
    assert expected == read_usage(usage)
