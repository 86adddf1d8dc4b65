"""How a Faust app of ours is made and run: known to its group again, watching its membership, stopping cleanly."""

from services.engine.kafka.apps.ends import Ends
from services.engine.kafka.apps.made import checked_size, make_app, size_in_force
from services.engine.kafka.apps.member import Member, MemberBusy, member_of
from services.engine.kafka.apps.pages import PartitionStanding, WorkerStanding, serve_health, serve_pages
from services.engine.kafka.apps.reading import Stuck, unacknowledged
from services.engine.kafka.apps.running import Awoke, WorkerCrashed, require_awake, run_app
from services.engine.kafka.apps.settings import AppSettings
from services.engine.kafka.apps.transport import membership_of

__all__ = [
    "AppSettings",
    "Awoke",
    "Ends",
    "Member",
    "MemberBusy",
    "PartitionStanding",
    "Stuck",
    "WorkerCrashed",
    "WorkerStanding",
    "checked_size",
    "make_app",
    "member_of",
    "membership_of",
    "require_awake",
    "run_app",
    "serve_health",
    "serve_pages",
    "size_in_force",
    "unacknowledged",
]
