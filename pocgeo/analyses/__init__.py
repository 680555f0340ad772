"""Floor 5: tables in, tables out. Pure functions that answer the questions of the field."""
