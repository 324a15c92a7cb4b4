"""The room on the disk where the data is."""

from dataclasses import dataclass
from pathlib import Path
from shutil import disk_usage

LITTLE_BYTES = 500_000_000
"""Less room than this is worth a warning: a million deliveries take 150 MB."""
LITTLE_SHARE = 0.03
"""So is less than this of a disk; a large one is still filled in a day by whatever else is there."""


@dataclass(frozen=True, kw_only=True)
class Disk:
    """How much of it is free."""

    free_bytes: int
    total_bytes: int

    @property
    def is_nearly_full(self) -> bool:
        return self.free_bytes < LITTLE_BYTES or self.free_bytes < LITTLE_SHARE * self.total_bytes


def disk_of(folder: Path) -> Disk:
    """Return the disk on which a folder is, or would be."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    found = disk_usage(there)
    return Disk(free_bytes=found.free, total_bytes=found.total)
