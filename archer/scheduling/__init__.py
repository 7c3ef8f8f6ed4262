"""Which waiting job starts next, and where. Pure: no I/O, no clock of its own; `archer.admission` gives and takes."""
