"""What Alembic runs: the changes, in the transaction of the connection that `database.migrate` hands over."""

from alembic import context

from serving.records.migrations.settings import options

context.configure(connection=context.config.attributes["connection"], **options())
context.run_migrations()
