"""Alembic migrations: one file a change in `versions`, upgrades only.

A change of `serving.records.tables` needs a new, numbered file there, which also converts existing rows. Tests run all
migrations on SQLite and PostgreSQL, and compare the result with the tables.
"""
