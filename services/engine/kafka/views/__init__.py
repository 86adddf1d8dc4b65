"""The state of casebook workers: per partition the views of its cases, in a local file and on `ccr.case-views`.

A worker opens a partition that is assigned to it, restores it, folds on its views, and every second or so takes a
checkpoint, has its records acknowledged and settles it. Only then does it commit its input.
"""

from services.engine.kafka.views.checkpoint import Checkpoint
from services.engine.kafka.views.file import StateDamaged, StateInUse
from services.engine.kafka.views.partition import NotTheOwner, PartitionViews, open_partition
from services.engine.kafka.views.refolding import FoldAgain, Refolding
from services.engine.kafka.views.restoring import Restored, restore
from services.engine.kafka.views.standby import Followed, Standby

__all__ = [
    "Checkpoint",
    "FoldAgain",
    "Followed",
    "NotTheOwner",
    "PartitionViews",
    "Refolding",
    "Restored",
    "Standby",
    "StateDamaged",
    "StateInUse",
    "open_partition",
    "restore",
]
