"""The desk side: from a source's raw samples to one finished report.

    prometheus -> scan -> ledger -> books -> model -> render

Read in that order. `ledger`, `model` and `render` are pure; only `prometheus` speaks HTTP and only `queries` PromQL.
"""
