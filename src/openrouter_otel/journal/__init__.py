"""The journal: one SQLite file in which every call is a row; `schema` says what is in it, for writers and readers."""
