"""Totals of the history by the hour, each sealed row counted once; nothing in them
is about a person. They outlive the rows."""

from django.db import models


class HourTotal(models.Model):
    """How many verifications that began within the hour ended how."""

    hour = models.DateTimeField()
    operator = models.CharField(max_length=32, blank=True)
    country = models.CharField(max_length=3, blank=True)
    purpose = models.CharField(max_length=20)
    method = models.CharField(max_length=20)
    status = models.CharField(max_length=12)
    reason = models.CharField(max_length=30, blank=True)
    fallback = models.BooleanField(help_text="It followed another one.")
    test = models.BooleanField()
    rows = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "hour",
                    "operator",
                    "country",
                    "purpose",
                    "method",
                    "status",
                    "reason",
                    "fallback",
                    "test",
                ],
                name="nv_one_total_an_hour",
            )
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h {self.status}: {self.rows}"


class HourDuration(models.Model):
    """How many answers within the hour took an operator how long.

    A bucket is four to the octave: see `rollup.bucket_of`.
    """

    hour = models.DateTimeField()
    operator = models.CharField(max_length=32)
    country = models.CharField(max_length=3, blank=True)
    purpose = models.CharField(max_length=20)
    test = models.BooleanField()
    bucket = models.PositiveSmallIntegerField()
    rows = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "operator", "country", "purpose", "test", "bucket"],
                name="nv_one_duration_an_hour",
            )
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h {self.operator} {self.bucket}: {self.rows}"
