"""The budget file: what it may say, and what it is told where it may not."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from openrouter_otel import cli
from openrouter_otel.budgets import Budget, BudgetError, read_budgets

ROOT = Path(__file__).resolve().parents[2]


def test_a_budget_is_about_everything_a_model_a_user_or_a_tag() -> None:
    text = """
    budgets:
      - {usd: 200, period: month}
      - {usd: 0.10, period: day, model: openai/gpt-5-mini}
      - {usd: "25.50", period: week, user: alice, name: Alice}
      - {usd: 1e3, period: month, tag: {cost.centre: search}}
    """
    assert read_budgets(text) == (
        Budget("All per month", Decimal(200), "month"),
        Budget("openai/gpt-5-mini per day", Decimal("0.1"), "day", "model", "model", "openai/gpt-5-mini"),
        Budget("Alice", Decimal("25.50"), "week", "user", "user", "alice"),
        Budget("search per month", Decimal("1e3"), "month", "tag", "tag_cost_centre", "search"),
    )


def test_no_budgets_are_budgets_too() -> None:
    assert read_budgets("budgets: []") == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "expected one key, `budgets`"),
        ("- a", "expected one key, `budgets`"),
        ("budgets: {a: 1}", "expected one key, `budgets`"),
        ("budgets: []\nbudget: []", "expected one key, `budgets`"),
        ("budgets: [", "not YAML"),
        ("budgets: [!!python/object/apply:os.system [ls]]", "not YAML"),
        ("budgets: [2026-13-45]", "not YAML"),
        ("budgets: [1]", "budget 1: expected keys"),
        ("budgets: [{usd: 1, period: month}, {usd: 1}]", "budget 2: `period` must be one of day, week, month"),
        ("budgets: [{usd: 1, period: [month]}]", "budget 1: `period` must be one of"),
        ("budgets: [{period: month}]", "budget 1: `usd` must be an amount above zero, not None"),
        ("budgets: [{usd: 0, period: month}]", "`usd` must be an amount above zero"),
        ("budgets: [{usd: -1, period: month}]", "`usd` must be an amount above zero"),
        ("budgets: [{usd: .nan, period: month}]", "`usd` must be an amount above zero"),
        ("budgets: [{usd: .inf, period: month}]", "`usd` must be an amount above zero"),
        ("budgets: [{usd: true, period: month}]", "`usd` must be an amount above zero"),
        ("budgets: [{usd: ten, period: month}]", "`usd` must be an amount above zero"),
        ("budgets: [{usd: 1, period: month, users: bob}]", "there is no 'users'; known are usd, period, name, model"),
        ("budgets: [{usd: 1, period: month, user: 7}]", "`user` must be a text, not 7"),
        ('budgets: [{usd: 1, period: month, user: ""}]', "`user` must be a text"),
        ('budgets: [{usd: 1, period: month, user: "a\\nb"}]', "`user` must be a text"),
        ("budgets: [{usd: 1, period: month, user: a, model: b}]", "only one of `model`, `user` and `tag`"),
        ("budgets: [{usd: 1, period: month, tag: search}]", "`tag` takes one name and its value"),
        ("budgets: [{usd: 1, period: month, tag: {a: b, c: d}}]", "`tag` takes one name and its value"),
        ("budgets: [{usd: 1, period: day}, {usd: 2, period: day}]", "budget 2: there is one named 'All per day'"),
    ],
)
def test_what_is_no_budget_is_said_in_one_line(text: str, complaint: str) -> None:
    with pytest.raises(BudgetError) as error:
        read_budgets(text)
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_the_command_writes_the_committed_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = tmp_path / "rules.yml"
    budgets = str(ROOT / "grafana" / "budgets.yml")
    assert cli.main(["stack", "--budgets", budgets, "--output", str(written)]) == 0
    committed = ROOT / "grafana" / "prometheus" / "rules" / "openrouter-budgets.rules.yml"
    assert written.read_text("utf-8") == committed.read_text("utf-8")
    assert cli.main(["stack", "--budgets", budgets]) == 0
    assert capsys.readouterr().out == committed.read_text("utf-8")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"budgets: [{}]", "budget 1: `usd`"), (b"\xff\xfe", "not UTF-8"), (None, "No such file")],
)
def test_a_bad_file_is_one_line_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, complaint: str
) -> None:
    file, output = tmp_path / "budgets.yml", tmp_path / "rules.yml"
    output.write_text("as it was")
    if content is not None:
        file.write_bytes(content)
    assert cli.main(["stack", "--budgets", str(file), "--output", str(output)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert complaint in said.err
    assert str(file) in said.err
    assert output.read_text() == "as it was"
