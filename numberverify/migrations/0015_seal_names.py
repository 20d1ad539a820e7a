"""PostgreSQL's refusals hold against names of one's own, and cover whose a row is.

Every role may make temporary tables, which come before all others where a name stands
without its schema: one named as the chain told the triggers what it liked. So tables
and types stand with theirs. That is free; a `search_path` of the function's own is some
fifteen microseconds a call, and is for what is rare.
"""

from importlib import import_module

from django.db import migrations

first = import_module('numberverify.migrations.0008_seal_triggers')
guards = import_module('numberverify.migrations.0012_seal_guards')
SEAL = 'numberverify_seal'
KEEP_SEALED = f"""
    CREATE OR REPLACE FUNCTION nv_keep_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        -- The account is closed, or the receipt is spent: the seal is not about these.
        IF ({first.columns('OLD', first.ALL)})
            IS NOT DISTINCT FROM ({first.columns('NEW', first.ALL)})
            AND (NEW.user_id IS NULL OR NEW.user_id IS NOT DISTINCT FROM OLD.user_id)
            AND (
                OLD.redeemed_at IS NULL
                OR OLD.redeemed_at IS NOT DISTINCT FROM NEW.redeemed_at
            )
        THEN
            RETURN NEW;
        END IF;
        IF OLD.id > coalesce(
            (SELECT last_id FROM numberverify_seal ORDER BY number DESC LIMIT 1),
            {guards.NOBODY}
        ) THEN
            RETURN NEW;
        END IF;
        -- To be forgotten is the one change that the seal outlives.
        IF OLD.commitment = '' AND octet_length(NEW.commitment) = 32
            AND {first.BLANK}
            AND NEW.user_id IS NULL
            AND OLD.redeemed_at IS NOT DISTINCT FROM NEW.redeemed_at
            AND ({first.columns('OLD', first.FIXED)})
            IS NOT DISTINCT FROM ({first.columns('NEW', first.FIXED)})
            -- Keys of 16 bytes, one behind the other; a place between two is none.
            AND (
                SELECT CASE WHEN kind = 'forgotten'
                    THEN position(uuid_send(OLD.id) IN leaves) % 16 = 1 END
                FROM numberverify_seal ORDER BY number DESC LIMIT 1
            )
        THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'verification % is sealed', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
"""
NAMES = {
    ' up_to uuid': ' up_to pg_catalog.uuid',
    ' sealed_at timestamptz': ' sealed_at pg_catalog.timestamptz',
    'CREATE FUNCTION': 'CREATE OR REPLACE FUNCTION',
}
# By which the site knows that a clock is wrong.
CLOCK = guards.KEEP_TIME.replace(
    "USING ERRCODE = 'integrity_constraint_violation'",
    "USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'nv_keep_time'",
)
RARE = ('nv_keep_rows', 'nv_keep_links', 'nv_keep_records')


def forwards(apps, schema_editor):
    if schema_editor.connection.vendor != 'postgresql':
        return
    with schema_editor.connection.cursor() as cursor:
        # Where the table is, wherever this migration would put a new one.
        cursor.execute(
            'SELECT quote_ident(nspname) FROM pg_namespace JOIN pg_class c'
            ' ON c.relnamespace = pg_namespace.oid WHERE c.oid = %s::regclass',
            [SEAL],
        )
        schema = cursor.fetchone()[0]
    for made in (KEEP_SEALED, guards.KEEP_ROWS, CLOCK):
        for name, whole in {SEAL: f'{schema}.{SEAL}', **NAMES}.items():
            made = made.replace(name, whole)
        schema_editor.execute(made, params=None)
    for function in RARE:
        schema_editor.execute(
            f'ALTER FUNCTION {function}() SET search_path = pg_catalog, pg_temp',
            params=None,
        )


BACKWARDS = [
    guards.KEEP_SEALED,
    guards.KEEP_ROWS,
    guards.KEEP_TIME.replace('CREATE FUNCTION', 'CREATE OR REPLACE FUNCTION'),
    *(f'ALTER FUNCTION {function}() RESET search_path' for function in RARE),
]


class Migration(migrations.Migration):

    dependencies = [
        ('numberverify', '0014_breaker_reasons'),
    ]

    operations = [
        migrations.RunPython(forwards, first.on_postgresql(BACKWARDS)),
    ]
