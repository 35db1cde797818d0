"""Run by Alembic: takes the connection that `vivavoce.gateway.history.migrate` holds."""

from alembic import context

from vivavoce.gateway.history.tables import METADATA

__all__: list[str] = []

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite cannot change a column in place
)
with context.begin_transaction():
    context.run_migrations()
