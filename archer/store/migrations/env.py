"""Alembic's entry: runs on the connection it is handed, inside the caller's transaction."""

from alembic import context

from archer.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    # SQLite rewrites a table to alter it
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
