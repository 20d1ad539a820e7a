"""Totals of the history by the hour and by the day, each sealed row counted once in
both; nothing in them is about a person. They outlive the rows."""

from typing import Any

from django.db import models

PLACE = ["operator", "country", "purpose"]
ENDING = ["method", "status", "reason", "fallback", "test"]


def _once(name: str, *fields: str) -> list[Any]:
    return [models.UniqueConstraint(fields=fields, name=name)]


class Total(models.Model):
    """How many verifications ended how."""

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
        abstract = True
        default_permissions = ()


class Duration(models.Model):
    """How many answers took an operator how long.

    A bucket is four to the octave: see `rollup.bucket_of`.
    """

    operator = models.CharField(max_length=32)
    country = models.CharField(max_length=3, blank=True)
    purpose = models.CharField(max_length=20)
    test = models.BooleanField()
    bucket = models.PositiveSmallIntegerField()
    rows = models.PositiveIntegerField()

    class Meta:
        abstract = True
        default_permissions = ()


class HourTotal(Total):
    """Of verifications that began within the hour."""

    hour = models.DateTimeField()

    class Meta(Total.Meta):
        constraints = _once("nv_one_total_an_hour", "hour", *PLACE, *ENDING)

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h {self.status}: {self.rows}"


class HourDuration(Duration):
    """Of verifications that began within the hour."""

    hour = models.DateTimeField()

    class Meta(Duration.Meta):
        constraints = _once("nv_one_duration_an_hour", "hour", *PLACE, "test", "bucket")

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h {self.operator} {self.bucket}: {self.rows}"


class DayTotal(Total):
    """Of verifications that began on the day, in UTC: a year of hours is too long to
    add up while somebody waits."""

    day = models.DateField()

    class Meta(Total.Meta):
        constraints = _once("nv_one_total_a_day", "day", *PLACE, *ENDING)

    def __str__(self) -> str:
        return f"{self.day} {self.status}: {self.rows}"


class DayDuration(Duration):
    """Of verifications that began on the day, in UTC."""

    day = models.DateField()

    class Meta(Duration.Meta):
        constraints = _once("nv_one_duration_a_day", "day", *PLACE, "test", "bucket")

    def __str__(self) -> str:
        return f"{self.day} {self.operator} {self.bucket}: {self.rows}"
