from django.db import migrations, models


PLACE = "operator, country, purpose, test"
ENDING = f"{PLACE}, method, status, reason, fallback"


def from_hours(kind, columns):
    """The days of the hours that were counted before. Sessions are in UTC."""
    return migrations.RunSQL(
        f"INSERT INTO numberverify_day{kind} (day, {columns}, rows) "
        f"SELECT DATE(hour), {columns}, SUM(rows) FROM numberverify_hour{kind} "
        f"GROUP BY DATE(hour), {columns}",
        migrations.RunSQL.noop,
    )


class Migration(migrations.Migration):

    dependencies = [
        ('numberverify', '0009_staff_records'),
    ]

    operations = [
        migrations.CreateModel(
            name='DayDuration',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('operator', models.CharField(max_length=32)),
                ('country', models.CharField(blank=True, max_length=3)),
                ('purpose', models.CharField(max_length=20)),
                ('test', models.BooleanField()),
                ('bucket', models.PositiveSmallIntegerField()),
                ('rows', models.PositiveIntegerField()),
                ('day', models.DateField()),
            ],
            options={
                'abstract': False,
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('day', 'operator', 'country', 'purpose', 'test', 'bucket'), name='nv_one_duration_a_day')],
            },
        ),
        migrations.CreateModel(
            name='DayTotal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('operator', models.CharField(blank=True, max_length=32)),
                ('country', models.CharField(blank=True, max_length=3)),
                ('purpose', models.CharField(max_length=20)),
                ('method', models.CharField(max_length=20)),
                ('status', models.CharField(max_length=12)),
                ('reason', models.CharField(blank=True, max_length=30)),
                ('fallback', models.BooleanField(help_text='It followed another one.')),
                ('test', models.BooleanField()),
                ('rows', models.PositiveIntegerField()),
                ('day', models.DateField()),
            ],
            options={
                'abstract': False,
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('day', 'operator', 'country', 'purpose', 'method', 'status', 'reason', 'fallback', 'test'), name='nv_one_total_a_day')],
            },
        ),
        from_hours('total', ENDING),
        from_hours('duration', f'{PLACE}, bucket'),
    ]
