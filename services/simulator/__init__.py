"""An invented county: whole case histories from a seed, as its agencies' adapters would send them. Pure, no I/O.

Every person, number and place is made up. Same county, same seed, same bytes.
"""

from services.simulator.conduct import Profile
from services.simulator.county import County
from services.simulator.desks import Desks
from services.simulator.report import Report
from services.simulator.stream import reports

__all__ = ["County", "Desks", "Profile", "Report", "reports"]
