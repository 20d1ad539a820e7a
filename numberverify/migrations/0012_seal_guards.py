"""PostgreSQL refuses more of what would break a seal; docs/reference/seal.md says what.

Erased is no sealed row of which the newest link does not tell; deleted is no row that
is open, or that settled too late for the batches that are purged; and none is written
under a key of another time than its own, or of a time that is sealed.
"""

from importlib import import_module

from django.db import migrations

triggers = import_module('numberverify.migrations.0008_seal_triggers')
NOBODY = "'00000000-0000-0000-0000-000000000000'"
KEEP_SEALED = f"""
    CREATE OR REPLACE FUNCTION nv_keep_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.id > coalesce(
            (SELECT last_id FROM numberverify_seal ORDER BY number DESC LIMIT 1),
            {NOBODY}
        ) THEN
            RETURN NEW;
        END IF;
        -- To be forgotten is the one change that the seal outlives.
        IF OLD.commitment = '' AND octet_length(NEW.commitment) = 32
            AND {triggers.BLANK}
            AND ({triggers.columns('OLD', triggers.FIXED)})
            IS NOT DISTINCT FROM ({triggers.columns('NEW', triggers.FIXED)})
            -- Keys of 16 bytes, one behind the other.
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
KEEP_ROWS = f"""
    CREATE OR REPLACE FUNCTION nv_keep_rows() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        up_to uuid;
        sealed_at timestamptz;
    BEGIN
        SELECT purged_to INTO up_to FROM numberverify_seal
            ORDER BY number DESC LIMIT 1;
        SELECT made_at INTO sealed_at FROM numberverify_seal
            WHERE number = (SELECT max("of") FROM numberverify_seal);
        -- What settled later is sealed by a later batch, which is not purged yet. An
        -- hour is more than clocks differ.
        IF EXISTS (
            SELECT FROM gone WHERE id > coalesce(up_to, {NOBODY})
            OR settled_at IS NULL OR settled_at > sealed_at + interval '1 hour'
        ) THEN
            RAISE EXCEPTION 'verifications are deleted by retention alone'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    END $$
"""
APART = """
    abs(extract(epoch FROM NEW.created_at) * 1000 - (
        'x' || encode(substring(uuid_send(NEW.id) FOR 6), 'hex')
    )::bit(48)::bigint) > 300000
"""
KEEP_TIME = f"""
    CREATE FUNCTION nv_keep_time() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF {APART} THEN
            RAISE EXCEPTION 'verification % did not begin at the time of its key',
                NEW.id USING ERRCODE = 'integrity_constraint_violation';
        ELSIF NEW.id <= coalesce(
            (SELECT last_id FROM numberverify_seal ORDER BY number DESC LIMIT 1),
            {NOBODY}
        ) THEN
            RAISE EXCEPTION 'the time of verification % is sealed', NEW.id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    END $$
"""
# In the WHEN, so that a new row calls no function. What is sealed is an hour old.
ON_INSERT = f"""
    CREATE TRIGGER nv_keep_time AFTER INSERT ON numberverify_verification
    FOR EACH ROW WHEN (
        NEW.created_at < now() - interval '50 minutes' OR {APART}
    ) EXECUTE FUNCTION nv_keep_time()
"""
FORWARDS = [KEEP_SEALED, KEEP_ROWS, KEEP_TIME, ON_INSERT]
BACKWARDS = [
    'DROP TRIGGER nv_keep_time ON numberverify_verification',
    'DROP FUNCTION nv_keep_time()',
    *(
        made.replace('CREATE FUNCTION', 'CREATE OR REPLACE FUNCTION')
        for made in triggers.FORWARDS
        if 'FUNCTION nv_keep_sealed() RETURNS' in made
        or 'FUNCTION nv_keep_rows() RETURNS' in made
    ),
]


class Migration(migrations.Migration):

    dependencies = [
        ('numberverify', '0011_withdrawn_words'),
    ]

    operations = [
        migrations.RunPython(
            triggers.on_postgresql(FORWARDS), triggers.on_postgresql(BACKWARDS)
        ),
    ]
