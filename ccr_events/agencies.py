"""The agencies of a coordinated community response and the roles that act for them."""

from __future__ import annotations

from enum import StrEnum


class Agency(StrEnum):
    """One kind of agency; an API key, an alert's addressee and a policy chapter each name one.

    `adv` is community-based advocacy (privileged); system-based victim/witness staff belong to `pros`.
    """

    PSAP = "psap"  # 911 and dispatch
    LE = "le"  # police, sheriff patrol, investigators, civil process
    JAIL = "jail"
    PROS = "pros"  # prosecutor, with system-based victim/witness staff
    CRIM = "crim"  # criminal court
    CIV = "civ"  # civil and family court
    PROB = "prob"  # pretrial services, probation, parole
    BIP = "bip"  # men's nonviolence program
    ADV = "adv"  # community advocacy, shelter, hotline
    CPS = "cps"  # child protection
    VISIT = "visit"  # supervised visitation and exchange
    REG = "reg"  # state registry: protection-order and hot files, victim notification feed
    CCR = "ccr"  # the independent tracking entity


REPORTING = tuple(agency for agency in Agency if agency is not Agency.CCR)
"""Those that report what they did; the tracking entity only reads and asks."""

AGENCY_NAMES = {
    Agency.PSAP: "dispatch",
    Agency.LE: "police",
    Agency.JAIL: "jail",
    Agency.PROS: "prosecutor",
    Agency.CRIM: "criminal court",
    Agency.CIV: "civil court",
    Agency.PROB: "probation",
    Agency.BIP: "men's program",
    Agency.ADV: "advocacy",
    Agency.CPS: "child protection",
    Agency.VISIT: "visitation center",
    Agency.REG: "state registry",
    Agency.CCR: "tracking entity",
}
"""What people call each agency."""
