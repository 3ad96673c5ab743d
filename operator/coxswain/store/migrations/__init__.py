"""The history of the schema: alembic revisions that execute the SQL file beside them.

Migrations only expand; contraction comes one release later. Each new one raises min_version in
schema_info when older programs cannot work with it.
"""
