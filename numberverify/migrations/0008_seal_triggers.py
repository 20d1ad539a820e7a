"""PostgreSQL refuses what would break a seal; docs/reference/seal.md says what.

The lists are those of `numberverify.seal.leaf` at version 1.
"""

from django.db import migrations

FIXED = """
    action asked_because attention browser_known claimed_at country created_at
    expires_at id method notice_version operator operator_chosen operator_ms previous
    purpose reason sends sent_at settled_at sim_swap status test tries tries_allowed
    number nonce code_verifier code_digest
""".split()
PERSONAL = {
    'code_reference': "''",
    'details_digest': "''",
    'device_digest': "''",
    'fingerprint_key': "''",
    'holder_digest': "''",
    'ip': 'NULL',
    'next': "''",
    'number_fingerprint': "''",
    'number_mask': "''",
    'operator_subject': "''",
    'salt': "''",
    'state_digest': 'NULL',
    'user_agent': "''",
}


def columns(row, names):
    return ', '.join(f'{row}.{name}' for name in names)


ALL = [*FIXED, *PERSONAL, 'commitment']
BLANK = ' AND '.join(
    f'NEW.{name} IS NULL' if blank == 'NULL' else f'NEW.{name} = {blank}'
    for name, blank in PERSONAL.items()
)
FORWARDS = [
    f"""
    CREATE FUNCTION nv_keep_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.id > coalesce(
            (SELECT last_id FROM numberverify_seal ORDER BY number DESC LIMIT 1),
            '00000000-0000-0000-0000-000000000000'
        ) THEN
            RETURN NEW;
        END IF;
        -- To be forgotten is the one change that the seal outlives.
        IF OLD.commitment = '' AND octet_length(NEW.commitment) = 32 AND {BLANK}
            AND ({columns('OLD', FIXED)}) IS NOT DISTINCT FROM ({columns('NEW', FIXED)})
        THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'verification % is sealed', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    # In the WHEN, so that settling and redeeming a row call no function.
    f"""
    CREATE TRIGGER nv_keep_sealed BEFORE UPDATE ON numberverify_verification
    FOR EACH ROW WHEN (
        OLD.settled_at IS NOT NULL
        AND ({columns('OLD', ALL)}) IS DISTINCT FROM ({columns('NEW', ALL)})
    ) EXECUTE FUNCTION nv_keep_sealed()
    """,
    """
    CREATE FUNCTION nv_keep_rows() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (
            SELECT FROM gone WHERE id > coalesce(
                (SELECT purged_to FROM numberverify_seal ORDER BY number DESC LIMIT 1),
                '00000000-0000-0000-0000-000000000000'
            )
        ) THEN
            RAISE EXCEPTION 'verifications are deleted by retention alone'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER nv_keep_rows AFTER DELETE ON numberverify_verification
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION nv_keep_rows()
    """,
    """
    CREATE FUNCTION nv_keep_links() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'link % of the seal stays as it is', OLD.number
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER nv_keep_links BEFORE UPDATE OR DELETE ON numberverify_seal
    FOR EACH ROW EXECUTE FUNCTION nv_keep_links()
    """,
]
BACKWARDS = [
    'DROP TRIGGER nv_keep_links ON numberverify_seal',
    'DROP TRIGGER nv_keep_rows ON numberverify_verification',
    'DROP TRIGGER nv_keep_sealed ON numberverify_verification',
    'DROP FUNCTION nv_keep_links()',
    'DROP FUNCTION nv_keep_rows()',
    'DROP FUNCTION nv_keep_sealed()',
]


def on_postgresql(statements):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == 'postgresql':
            for statement in statements:
                schema_editor.execute(statement, params=None)

    return run


class Migration(migrations.Migration):

    dependencies = [
        ('numberverify', '0007_seals'),
    ]

    operations = [
        migrations.RunPython(on_postgresql(FORWARDS), on_postgresql(BACKWARDS)),
    ]
