"""What a program finds in a schema: columns, what it may leave out, what it may do, what it may call.

Facts as tuples. A schema serves the programs of an earlier one if it has all facts of that.
"""

import asyncpg

from coxswain.store import roles

ROLES = [roles.OPERATOR, roles.SIDECAR, roles.GATEWAY]
Fact = tuple[object, ...]

_COLUMNS = (
    "SELECT relname, attname, format_type(atttypid, atttypmod),"
    " NOT attnotnull OR atthasdef OR attidentity <> ''"
    " FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
    " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition"
    " AND attnum > 0 AND NOT attisdropped"
)
_RIGHTS = (
    "SELECT role, relname, attname, need FROM unnest($1::text[]) AS role CROSS JOIN pg_attribute"
    " JOIN pg_class ON pg_class.oid = attrelid"
    " CROSS JOIN unnest('{SELECT,INSERT,UPDATE}'::text[]) AS need"
    " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition"
    " AND attnum > 0 AND NOT attisdropped AND has_column_privilege(role, attrelid, attnum, need)"
    " UNION ALL"
    " SELECT role, relname, '', need FROM unnest($1::text[]) AS role CROSS JOIN pg_class"
    " CROSS JOIN unnest('{DELETE,USAGE}'::text[]) AS need"
    " WHERE relnamespace = 'public'::regnamespace AND NOT relispartition AND CASE need"
    " WHEN 'USAGE' THEN relkind = 'S' AND has_sequence_privilege(role, pg_class.oid, need)"
    " ELSE relkind IN ('r', 'p') AND has_table_privilege(role, pg_class.oid, need) END"
)
# Once for each number of arguments that a call may have.
_CALLS = (
    "SELECT role, proname, (SELECT string_agg(format_type(given, NULL), ', ' ORDER BY place)"
    " FROM unnest(proargtypes) WITH ORDINALITY AS each (given, place) WHERE place <= many),"
    " pg_get_function_result(pg_proc.oid)"
    " FROM unnest($1::text[]) AS role CROSS JOIN pg_proc"
    " CROSS JOIN generate_series(0::integer + pronargs - pronargdefaults, pronargs::integer) AS many"
    " WHERE pronamespace = 'public'::regnamespace AND prorettype <> 'trigger'::regtype"
    " AND has_function_privilege(role, pg_proc.oid, 'EXECUTE')"
)


async def of(connection: "asyncpg.Connection[asyncpg.Record]") -> frozenset[Fact]:
    """All facts of the schema as it is now."""
    facts: set[Fact] = set()
    for table, column, kind, may_be_left_out in await connection.fetch(_COLUMNS):
        facts.add(("column", table, column, kind))
        if may_be_left_out:
            facts.add(("may be left out", table, column))
    facts |= {("may", *row) for row in await connection.fetch(_RIGHTS, ROLES)}
    facts |= {("may call", *row) for row in await connection.fetch(_CALLS, ROLES)}
    return frozenset(facts)


def broken(before: frozenset[Fact], after: frozenset[Fact]) -> list[Fact]:
    """What programs of before go by and do not find any more; a new column that they have to know too."""
    known = {fact[1:3] for fact in before if fact[0] == "column"}
    tables = {table for table, _ in known}
    new = {fact[1:3] for fact in after if fact[0] == "column" and fact[1] in tables} - known
    owed: set[Fact] = {("may be left out", *place) for place in new}
    return sorted((before | owed) - after, key=str)
