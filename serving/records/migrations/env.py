"""Alembic environment: runs the migrations in the transaction of the connection that `database.migrate` passes."""

from alembic import context

from serving.records.migrations.settings import context_options

context.configure(connection=context.config.attributes["connection"], **context_options())
context.run_migrations()
