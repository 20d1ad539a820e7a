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
        IF ({triggers.columns('OLD', triggers.ALL)})
            IS NOT DISTINCT FROM ({triggers.columns('NEW', triggers.ALL)})
        THEN
            RETURN NEW;
        END IF;
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
KEEP_TIME = f"""
    CREATE FUNCTION nv_keep_time() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF abs(date_part('epoch', NEW.created_at) * 1000 - (
            'x' || encode(substring(uuid_send(NEW.id) FOR 6), 'hex')
        )::bit(48)::bigint) > 300000 THEN
            RAISE EXCEPTION 'verification % did not begin at the time of its key',
                NEW.id USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        -- What is sealed is an hour old.
        IF NEW.created_at < now() - interval '50 minutes' THEN
            IF NEW.id <= coalesce(
                (SELECT last_id FROM numberverify_seal ORDER BY number DESC LIMIT 1),
                {NOBODY}
            ) THEN
                RAISE EXCEPTION 'the time of verification % is sealed', NEW.id
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
        END IF;
        RETURN NULL;
    END $$
"""
ON_INSERT = """
    CREATE TRIGGER nv_keep_time AFTER INSERT ON numberverify_verification
    FOR EACH ROW EXECUTE FUNCTION nv_keep_time()
"""
# A long condition in the WHEN is read anew for each statement, which costs more than a
# function whose plan is kept: so it is in the function, and settling calls none.
ON_UPDATE = """
    CREATE TRIGGER nv_keep_sealed BEFORE UPDATE ON numberverify_verification
    FOR EACH ROW WHEN (OLD.settled_at IS NOT NULL) EXECUTE FUNCTION nv_keep_sealed()
"""
NO_ON_UPDATE = 'DROP TRIGGER nv_keep_sealed ON numberverify_verification'
FORWARDS = [KEEP_SEALED, NO_ON_UPDATE, ON_UPDATE, KEEP_ROWS, KEEP_TIME, ON_INSERT]
BACKWARDS = [
    'DROP TRIGGER nv_keep_time ON numberverify_verification',
    'DROP FUNCTION nv_keep_time()',
    NO_ON_UPDATE,
    *(
        made.replace('CREATE FUNCTION', 'CREATE OR REPLACE FUNCTION')
        for made in triggers.FORWARDS
        if 'FUNCTION nv_keep_sealed' in made or 'FUNCTION nv_keep_rows() RET' in made
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
