"""How a database of any age comes to have the present tables: one file a change in `versions`, forward alone.

A change of `serving.records.tables` needs a file there, named and numbered as its neighbours, that says what to do to a
database that has rows already. Tests run all of them on SQLite and PostgreSQL, and compare what comes out.
"""
