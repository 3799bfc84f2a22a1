"""Alembic's entry: run the revisions on the connection that `migrating` hands over.

The caller owns the transaction, so a migration happens as a whole or not at all.
"""

from alembic import context

from bot.store.tables import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError("no connection given: run `python -m bot migrate`")
context.configure(
    connection=connection, target_metadata=metadata, transactional_ddl=True, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
