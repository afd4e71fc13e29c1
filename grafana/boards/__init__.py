"""The Grafana boards as a program: ``python -m grafana.boards`` writes ``grafana/dashboards/*.json``.

The JSON is committed, so users need neither this package nor its SDK; ``--check`` (a test) says when the two have
drifted apart. `promql` decides how a thing is counted, `panels` how it looks, `frame` what all boards share, and
each board is one file that only says which question goes where.
"""
