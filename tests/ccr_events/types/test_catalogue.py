"""The catalogue of events, transcribed from the domain sheet (section 2.5), against what is declared."""

from __future__ import annotations

from ccr_events.agencies import Agency
from ccr_events.catalogue import event_types
from ccr_events.codes.response import ReceiptStatus, ReferralStatus
from ccr_events.core.model import TransitionKind
from ccr_events.schemas.asyncapi import asyncapi_document

EVERYBODY = " ".join(sorted(Agency))
CATALOGUE = {
    "call.received": "psap",
    "call.dispatched": "psap",
    "call.on_scene": "psap",
    "call.closed": "psap",
    "incident.reported": "le",
    "risk.screened": "le",
    "arrest.made": "le",
    "arrest.not_made": "le",
    "suspect.sought": "le",
    "victim.notice_given": "civ crim jail le prob pros reg",
    "referral.advocacy_sent": "civ jail le pros",
    "referral.advocacy_accepted": "adv",
    "advocate.information_shared": "adv",
    "jail.booked": "jail",
    "jail.threat_recorded": "jail",
    "custody.release_pending": "jail",
    "victim.release_notified": "jail",
    "custody.released": "jail",
    "custody.transferred": "jail",
    "custody.escaped": "jail",
    "bail.evaluated": "prob",
    "charge.filed": "pros",
    "charge.declined": "pros",
    "charge.dismissed": "pros",
    "release.conditions_set": "crim",
    "nco.issued": "crim",
    "nco.modified": "crim",
    "nco.cancelled": "crim",
    "hearing.scheduled": "civ crim",
    "hearing.continued": "civ crim",
    "hearing.held": "civ crim",
    "plea.entered": "crim",
    "verdict.entered": "crim",
    "sentence.imposed": "crim",
    "probation.opened": "prob",
    "probation.contact_recorded": "prob",
    "violation.alleged": "bip le prob",
    "violation.disposed": "crim",
    "bip.referred": "crim prob",
    "bip.intake_completed": "bip",
    "bip.intake_missed": "bip",
    "bip.session_recorded": "bip",
    "bip.status_changed": "bip",
    "bip.threat_reported": "bip",
    "ofp.petitioned": "civ",
    "ofp.ex_parte_granted": "civ",
    "ofp.denied": "civ",
    "ofp.service_attempted": "le",
    "ofp.served": "le",
    "ofp.hearing_held": "civ",
    "ofp.granted": "civ",
    "ofp.modified": "civ",
    "ofp.extended": "civ",
    "ofp.dismissed": "civ",
    "ofp.expired": "civ",
    "order.entered_registry": "reg",
    "order.entry_rejected": "reg",
    "order.cleared": "reg",
    "order.validated": "reg",
    "order.violation_reported": "le",
    "firearm.order_made": "civ crim",
    "firearm.surrendered": "le",
    "firearm.proof_filed": "civ crim le",
    "firearm.noncompliance": "civ crim le",
    "child.report_made": "cps le visit",
    "visit.incident": "visit",
    "visit.suspended": "visit",
    "record.seal_ordered": "crim reg",
    "record.seal_applied": EVERYBODY,
}
BESIDE_IT = {
    "arrest.reviewed": "le pros",
    "welfare_check.made": "le",
    "warrant.updated": "crim le",
    "court.case_opened": "civ crim",
    "court.order_entered": "civ crim",
    "bail.updated": "crim jail",
    "ofp.hearing_requested": "civ",
}
"""What policies and real documents need and the sheet has no row for."""
BACKBONE = {
    "link.acknowledged": EVERYBODY,
    "link.completed": EVERYBODY,
    "link.waived": EVERYBODY,
    "link.notified": "",
    "link.deadline_reached": "",
    "event.retracted": EVERYBODY,
    "case.merged": "ccr",
    "case.split": "ccr",
    "case.absorbed": "",
    "case.absorption_ended": "",
    "gap.recorded": "ccr",
    "policy.published": "ccr",
    "access.audited": "",
    "record.keys_moved": "",
}
OWN_STORE = {"release_of_info.granted", "release_of_info.revoked", "release_of_info.expired"}
TRANSITIONS = {f"link.{kind}" for kind in TransitionKind} - BACKBONE.keys()


def test_every_event_of_the_catalogue_is_declared_with_its_publishers() -> None:
    logged = {name: " ".join(sorted(t.publishers)) for name, t in event_types().items() if t.logged}
    assert logged == {**CATALOGUE, **BESIDE_IT, **BACKBONE}


def test_releases_of_information_and_transitions_stay_off_the_log_and_nobody_may_publish_them() -> None:
    off = {name: t.publishers for name, t in event_types().items() if not t.logged}
    assert off == dict.fromkeys(OWN_STORE | TRANSITIONS, frozenset())


def test_the_log_s_channel_holds_only_what_stands_on_the_log() -> None:
    messages = asyncapi_document(event_types())["channels"]["events"]["messages"]
    assert set(messages) == {f"recorded.{name}" for name, t in event_types().items() if t.logged}


def test_acts_of_a_victim_are_told_apart() -> None:
    acts = {name for name, t in event_types().items() if t.victim_act}
    assert acts == {
        "ofp.petitioned",
        "ofp.hearing_requested",
        "release_of_info.granted",
        "release_of_info.revoked",
    }


def test_advocacy_may_publish_no_more_than_receipts_releases_and_its_own_upkeep() -> None:
    by_advocacy = {name for name, t in event_types().items() if Agency.ADV in t.publishers}
    assert by_advocacy == {
        "referral.advocacy_accepted",
        "advocate.information_shared",
        "link.acknowledged",
        "link.completed",
        "link.waived",
        "event.retracted",
        "record.seal_applied",
    }


def test_a_receipt_says_nothing_of_the_person() -> None:
    assert set(ReferralStatus) == {"received", "on_call_assigned", "declined_capacity"}
    assert set(ReceiptStatus) == {"received", "on_call_assigned"}
    accepted = set(event_types()["referral.advocacy_accepted"].model.model_fields)
    assert accepted == {"references", "parties", "dv", "source_document", "status", "referral"}


def test_every_type_says_in_one_sentence_what_happened() -> None:
    summaries = [t.summary for t in event_types().values()]
    assert all(5 < len(summary) < 120 and summary.endswith((".", ":")) for summary in summaries), summaries
    assert len(set(summaries)) == len(summaries)
