"""Alembic migrations; run by `archer.store.migrate`, never by the alembic command line."""
