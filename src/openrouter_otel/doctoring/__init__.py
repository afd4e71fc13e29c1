"""`openrouter-otel doctor`: a setup is looked at from end to end, and what is wrong is said in plain words.

arguments -> Setup (looks at each thing once) -> checks, in a table -> findings -> telling
"""
