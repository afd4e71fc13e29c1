"""Prometheus' rules as a program: ``python -m grafana.rules`` writes ``grafana/prometheus/rules/*.rules.yml``.

`counting` records what boards and alerts read, `alerts` wakes people, `rulefile` writes both down, and `runbook` makes
a page of what to do. The thresholds are a file written by hand (``openrouter-thresholds.rules.yml``), and so are the
budgets (``grafana/budgets.yml``).
"""
