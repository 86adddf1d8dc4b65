"""How often what happens: one table, each figure with its source.

F: found in the source of that number in the domain sheet, section 8. K: from general knowledge, not read again.
P: chosen here. K and P are settings: give a county its own figures before drawing conclusions from the outcome.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Odds:
    """Shares (0 to 1) unless the name says otherwise."""

    # the call
    repeat_call: float = 0.45
    """Calls about two people who are known from the two years before [P]."""
    known_at_call: float = 0.6
    """Repeat calls at which the history of the place tells dispatch who they are [P]."""
    weapon: float = 0.12
    """[P]"""
    firearm: float = 0.05
    """[P]"""
    arrest: float = 0.34
    """Calls with an arrest at the scene; with those found later about 39 % end in an arrest or charge [F77]."""
    gone: float = 0.15
    """Calls where the suspect has gone and there was probable cause [P]."""
    no_cause: float = 0.23
    """Calls with a report and no probable cause [P]."""
    advised: float = 0.15
    """Calls closed without a report [P]."""
    unfounded: float = 0.08
    """[P]; the rest is cancelled by the caller."""

    # the scene
    strangulation: float = 0.1
    """Reports that say so [K]."""
    child_harm: float = 0.07
    """Reports in which a child was hurt or threatened [P]."""
    high_danger: float = 0.35
    """Screens that come out as high danger [K]."""
    officer_belief: float = 0.1
    """Screens in by the officer's belief alone, of those of high danger [P]."""
    dual_arrest: float = 0.03
    """Arrests of both people [K]."""
    found_in_time: float = 0.4
    """Suspects who had gone and are found within 72 hours [P]."""
    warrant_served: float = 0.5
    """Warrants served in the months after [P]."""

    # custody and charge
    threat_in_custody: float = 0.04
    """[P]"""
    escape: float = 0.001
    """[P]"""
    transfer: float = 0.02
    """[P]"""
    charged: float = 0.75
    """Arrests that are charged [P]."""
    no_contact_order: float = 0.7
    """First appearances that end with one [P]."""
    entry_rejected: float = 0.07
    """Orders that the registry refuses at first: about 0.7 million orders are missing from the federal file [F80]."""
    victim_reached: float = 0.72
    """Releases of which the victim hears before [P]."""
    review_hearing: float = 0.08
    """Cases with a hearing on the conditions of release [P]."""

    # disposition, of charged cases
    convicted: float = 0.09
    """Of the domestic offense: 9 % in Duluth, misdemeanors charged 2015 to 2017 [F9]."""
    other_plea: float = 0.5
    """Plea to another charge [P]."""
    acquitted: float = 0.02
    """[P]; the rest is dismissed."""
    mens_program: float = 0.75
    """Sentences with the men's program: 217 to 261 men a year enter in Duluth [F7]."""
    jail_sentence: float = 0.3
    """Sentences with days to serve [P]."""
    sealed_after_dismissal: float = 0.3
    """Dismissed cases whose record is sealed within the run; the law seals all of them, later [F10]."""
    destroyed: float = 0.05
    """Of those, destroyed rather than sealed [P]."""

    # supervision
    intake_missed: float = 0.25
    """[P]"""
    sessions_least: int = 24
    sessions_most: int = 36
    """Weekly sessions of the program: 31.5 weeks on average in the United States [F82]."""
    absent: float = 0.1
    """Sessions that he does not come to [P]."""
    excused: float = 0.35
    """Of the absences [P]."""
    absences_allowed: int = 3
    """The next one suspends him: local samples differ [F49-F51]."""
    reinstated: float = 0.6
    """Violations after which he is taken back [P]."""
    threat_in_program: float = 0.002
    """Sessions with a threat [P]."""

    # order for protection
    petition: float = 0.16
    """Reports followed by a petition: about 1.8 a year for 1,000 people in Minnesota [F76]."""
    ex_parte: float = 0.8
    """[P]"""
    advocate_beside: float = 0.3
    """[P]"""
    notice_wanted: float = 0.7
    """Petitioners who want the court's notices [P]."""
    hearing_requested: float = 0.2
    """Orders on which the respondent asks for a hearing [P]."""
    service_fails: float = 0.35
    """Attempts at service that fail [P]."""
    granted: float = 0.6
    """Hearings that end with an order [P]."""
    modified: float = 0.15
    """Orders changed while in force [P]."""
    extended: float = 0.15
    """Orders extended before they end [P]."""
    firearms: float = 0.25
    """Orders and sentences with firearms to give up [P]."""
    firearms_kept: float = 0.2
    """Of those, not given up in time [P]."""
    supervised_visits: float = 0.15
    """Orders with visits or exchanges under supervision [P]."""
    visit_incident: float = 0.3
    """Of those, with an incident [P]."""
