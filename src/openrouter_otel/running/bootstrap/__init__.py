"""The folder that stands on the PYTHONPATH of programs that are run."""
