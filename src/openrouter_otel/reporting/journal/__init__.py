"""A journal as a source of reports: `scan` reads it into evidence, `records` hands out its rows."""
