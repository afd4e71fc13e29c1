"""Recipes of what runs elsewhere: a pod that is scraped, a function and a program that push."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import yaml

from charges import charged
from endpoint.programs import scrape
from fake_openrouter import FakeOpenRouter
from otlp_receiver import OtlpReceiver, attributes
from recipes.running import Recipe, free_port
from recipes_page import RECIPES, Command, command
from waiting import until

Start = Callable[..., Recipe]


def test_a_pod_is_scraped_from_another_address(start: Start, openrouter: FakeOpenRouter) -> None:
    deployment, _ = yaml.safe_load_all((RECIPES / "kubernetes.yaml").read_text("utf-8"))
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    variables = {one["name"]: one["value"] for one in container["env"] if one["name"].startswith("OTEL_")}
    http, metrics = free_port(), free_port()
    variables["OTEL_EXPORTER_PROMETHEUS_PORT"] = str(metrics)  # its own pod has all ports to itself
    words = [str(http) if word == "8000" else word for word in container["command"]]
    start(Command(variables, words))
    url = f"http://127.0.0.2:{http}/ask?question=How&user=alice"
    until(lambda: _opens(url))

    shown = scrape(f"http://127.0.0.3:{metrics}/metrics")
    assert shown.total("openrouter_cost_usd_total", user="alice") == charged(openrouter) > 0


def _opens(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return bool(answer.read())
    except urllib.error.URLError:
        return False


# What a platform does: imports the module, calls its handler, freezes the process, and one day kills it.
RUNNER = """
import json, os, serverless
while event := input():
    print(json.dumps(serverless.handler(json.loads(event), None)), flush=True)
os.kill(os.getpid(), 9)
"""


def invoke(recipe: Recipe) -> float:
    """Call the handler; returns the seconds that it took."""
    begun = time.monotonic()
    recipe.give(json.dumps({"user": "alice", "question": "How are you?"}))
    assert json.loads(recipe.line())["statusCode"] == 200
    return time.monotonic() - begun


def test_a_function_has_pushed_all_by_the_time_it_answers(
    start: Start, openrouter: FakeOpenRouter, receiver: OtlpReceiver
) -> None:
    function = Command(command("Serverless").variables, ["python", "-c", RUNNER])
    recipe = start(function, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)

    for invocation in (1, 2):
        invoke(recipe)
        assert receiver.total("openrouter.cost.usd", user="alice") == charged(openrouter) > 0
        assert receiver.total("openrouter.requests") == len(receiver.spans) == invocation
    assert {point.resource["service.name"] for point in receiver.latest("openrouter.cost.usd")} == {"shop"}


def test_a_collector_that_is_down_costs_a_function_seconds_and_no_count(
    start: Start, openrouter: FakeOpenRouter
) -> None:
    port = free_port()
    function = Command(command("Serverless").variables, ["python", "-c", RUNNER])
    recipe = start(function, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}")

    assert invoke(recipe) < 6  # twice the timeout that the page sets, and the start
    with OtlpReceiver(port) as receiver:
        invoke(recipe)
        assert receiver.total("openrouter.requests") == 2
        assert receiver.total("openrouter.cost.usd") == charged(openrouter)


APP = """
from openai import OpenAI
client = OpenAI()
for n in range(3):
    client.chat.completions.create(model="openai/gpt-5-mini", messages=[{"role": "user", "content": "hi"}], user="bob")
"""


def test_a_program_without_a_line_of_ours_pushes_to_the_collector(
    start: Start, openrouter: FakeOpenRouter, receiver: OtlpReceiver, folder: Path
) -> None:
    (folder / "app.py").write_text(APP, "utf-8")
    start(command("OpenTelemetry Collector"), OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint).output()

    assert receiver.total("openrouter.cost.usd", user="bob") == charged(openrouter) > 0
    ours = [attributes(span.attributes) for span in receiver.spans if span.name.startswith("chat ")]
    assert sum(Decimal(repr(span["gen_ai.usage.cost"])) for span in ours) == charged(openrouter)
