"""The chain that shows that settled rows were not altered since."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


def keys_in(packed: bytes) -> list[bytes]:
    """Return the keys that stand one behind the other, each of 16 bytes."""
    return [packed[at : at + 16] for at in range(0, len(packed) - 15, 16)]


class Seal(models.Model):
    """One link of the chain: what was sealed, purged or forgotten, and the digest of
    the link before. Links are only ever added; docs/reference/seal.md has the format.
    """

    class Kind(models.TextChoices):
        ROWS = "rows", _("Rows")
        PURGED = "purged", _("Purged")
        FORGOTTEN = "forgotten", _("Forgotten")

    # No sequence, which leaves gaps: of two that add a link one wins.
    number = models.PositiveIntegerField(primary_key=True)
    version = models.PositiveSmallIntegerField(help_text="Of the encodings.")
    kind = models.CharField(max_length=10, choices=Kind)
    after_id = models.UUIDField(help_text="Rows behind this key ...")
    last_id = models.UUIDField(help_text="... up to this one are sealed.")
    rows = models.PositiveIntegerField(help_text="Sealed, purged or forgotten here.")
    # Of the sealed rows, in the order of their keys: 16 bytes of key, 32 of digest. Of
    # rows that were forgotten the keys alone.
    leaves = models.BinaryField(blank=True, default=b"")
    leaves_digest = models.BinaryField(max_length=32)
    first_id = models.UUIDField(null=True, blank=True, help_text="The oldest leaf.")
    # Keys of 16 bytes; each is sealed by a later link, once it is settled.
    left_open = models.BinaryField(blank=True, default=b"")
    left_open_digest = models.BinaryField(max_length=32)
    of = models.PositiveIntegerField(
        null=True, blank=True, help_text="The link that was purged."
    )
    purged_to = models.UUIDField(
        null=True, blank=True, help_text="Up to here rows may be gone."
    )
    days = models.PositiveIntegerField(
        null=True, blank=True, help_text="The retention, at a purge."
    )
    forgotten = models.PositiveIntegerField(
        default=0, help_text="How many of the purged rows were forgotten before."
    )
    by = models.CharField(max_length=100, blank=True, help_text="Who had rows erased.")
    reason = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField()
    previous_digest = models.BinaryField(max_length=32, blank=True, default=b"")
    digest = models.BinaryField(max_length=32)

    class Meta:
        ordering = ["number"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["of"], name="nv_purged_once"),
            models.CheckConstraint(
                name="nv_purge_says_of_what",
                condition=Q(kind="purged", of__isnull=False, days__isnull=False)
                | ~Q(kind="purged") & Q(of=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.rows} {self.kind}"

    @property
    def open_ids(self) -> list[bytes]:
        return keys_in(bytes(self.left_open))

    @property
    def digests(self) -> dict[bytes, bytes]:
        """The digest of each sealed row, by the 16 bytes of its key."""
        packed = bytes(self.leaves)
        return {
            packed[at : at + 16]: packed[at + 16 : at + 48]
            for at in range(0, len(packed) - 47, 48)
        }
