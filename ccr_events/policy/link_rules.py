"""What every protocol link must be, whoever writes it. Each rule has its letter from the project's domain sheet.

(a) silence goes up the chain of the agency that owes the act, then to the tracking entity as a finding about the
    system; it names roles, never workers
(b) a named role may waive, or the reason why nobody may is written down
(c) a link that reaches out to a victim says so, and is acted on only by contacts that are verified and safe
(d) an immediate link says what people do when the addressee cannot be reached
(e) no act of a victim satisfies a link
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ccr_events.agencies import Agency
from ccr_events.policy.document import Document
from ccr_events.policy.problems import Path, Report, listed
from ccr_events.policy.vocabulary import ANSWERS, Vocabulary, may_publish
from ccr_events.policy.written_link import Act, AllOf, NoLadder, NoWaiver, Rung, WrittenLink, groups
from ccr_events.registry import EventType

SAFE_CONTACT = "Use only a contact that is verified and safe, and leave no message that another could read or hear."
"""Added to the action of every link that reaches out to a victim (rule c)."""
VICTIM_EVENTS = "victim."
"""Events of these types are acts towards a victim."""


def check_link(link: WrittenLink, document: Document, vocabulary: Vocabulary, report: Report) -> None:
    """Everything that is wrong with a link besides its conditions and its deadline."""
    for rule in (_ladder, _waivers, _victim_contact, _unreachable, _sources, _urgency, _signatures):
        rule(link, document, report)
    _acts(link, vocabulary, report)


def _ladder(link: WrittenLink, document: Document, report: Report) -> None:
    if isinstance(link.escalate, NoLadder):
        return
    rungs, owing = link.escalate, {role.agency for role in link.owed_by}
    last = len(rungs) - 1
    for n, rung in enumerate(rungs):
        place = report.at("escalate", n)
        if n and rung.after.elapsed < rungs[n - 1].after.elapsed:
            place.at("after").say("comes before the rung above it", "put the rungs in order of time")
        if n and rungs[n - 1].to.agency is Agency.CCR and rung.to.agency is not Agency.CCR:
            place.say("goes back from the tracking entity to an agency", "the tracking entity is the last to hear")
        if rung.ends_here is not None and n != last:
            place.at("ends_here").say("is not the last rung", "only the last rung ends a ladder")
        _rung_agency(rung, owing, place)
    if len(owing) == 1 and Agency.CCR not in owing and rungs[0].to.agency not in owing:
        report.at("escalate", 0).say(
            f"the first to hear is outside {listed(owing)}, which owes the act (rule a)",
            "begin with a supervisor of the owing agency",
        )
    if rungs[last].to.agency is not Agency.CCR and rungs[last].ends_here is None:
        report.at("escalate", last).say(
            "the ladder ends nowhere: its last rung is not the tracking entity (rule a)",
            "add  {after: 24 h, to: {agency: ccr, role: systems coordinator}}  or give the reason under ends_here",
        )


def _rung_agency(rung: Rung, owing: set[Agency], report: Report) -> None:
    outside = rung.to.agency not in owing and rung.to.agency is not Agency.CCR
    if outside and rung.beyond_agency is None:
        report.at("to").say(
            f"{rung.to} is outside the agency that owes the act (rule a)",
            "name a role of the owing agency, or give the reason under beyond_agency",
        )
    if len(owing) > 1 and rung.to.agency is not Agency.CCR and rung.beyond_agency is None and not outside:
        report.at("to").say(
            f"{rung.to} would hear of the silence of other agencies too (rule a)",
            "let the tracking entity hear, or write a link for each agency",
        )
    if not outside and rung.beyond_agency is not None:
        report.at("beyond_agency").say(f"{rung.to} is not beyond the owing agency", "leave beyond_agency out")


def _waivers(link: WrittenLink, document: Document, report: Report) -> None:
    may_say = {role.agency for role in link.owed_by} | {document.agency, Agency.CCR}
    for n, waiver in enumerate(link.may_waive):
        place = report.at("may_waive", n)
        if isinstance(waiver, NoWaiver):
            if len(link.may_waive) > 1:
                place.say("nobody may waive, and yet somebody may (rule b)", "keep one of the two")
        elif waiver.agency not in may_say:
            place.say(
                f"{waiver} has no say over what {listed(may_say)} owe (rule b)", "name a role of the owing agency"
            )


def _victim_contact(link: WrittenLink, document: Document, report: Report) -> None:
    reaching = [act.type for _, act in _satisfying(link) if act.type.startswith(VICTIM_EVENTS)]
    if reaching and not link.victim_contact:
        report.say(
            f"{reaching[0]} reaches out to the victim, and the link does not say so (rule c)",
            "add  victim_contact: true",
        )


def _unreachable(link: WrittenLink, document: Document, report: Report) -> None:
    if link.urgency == "immediate" and link.if_unreachable is None:
        report.say(
            "an immediate link must say what people do when nobody can be reached (rule d)",
            "add  if_unreachable: Phone ...",
        )


def _sources(link: WrittenLink, document: Document, report: Report) -> None:
    marks = {basis.mark for basis in link.sources}
    if link.mark not in marks:
        report.at("mark").say(f"no source bears the mark {link.mark}", f"the sources bear {listed(marks)}")


def _urgency(link: WrittenLink, document: Document, report: Report) -> None:
    if link.due.immediate and link.urgency != "immediate":
        report.at("urgency").say(f"an act due at once is not {link.urgency}", "write  urgency: immediate")


def _signatures(link: WrittenLink, document: Document, report: Report) -> None:
    signed = {signature.agency for signature in document.signed_by}
    for n, role in enumerate(link.owed_by):
        if role.agency not in signed:
            report.at("owed_by", n).say(
                f"{role.agency.value} owes the act but has not signed the policy",
                f"add its sign-off under signed_by, or leave the duty to a policy that {role.agency.value} signs",
            )


def _acts(link: WrittenLink, vocabulary: Vocabulary, report: Report) -> None:
    """Satisfiers and the like: known types, that somebody publishes, none of them the victim's own."""
    for path, act in (*_satisfying(link), *((("acknowledged_by", n), a) for n, a in enumerate(link.acknowledged_by))):
        place = report.at(*path)
        known = vocabulary.known(act.type, place.at("type"))
        if known is None:
            continue
        if known.victim_act:
            place.at("type").say(
                f"{act.type} is the victim's own act: it never satisfies a link (rule e)", "name an agency's act"
            )
        _published(link, act.by == "owing", known, place)
        if act.type in ANSWERS and act.by is None and "agency" not in (act.when or {}):
            place.say(f"{act.type} does not say whose", "add  by: owing")
    for n, act in enumerate(link.due_at_once_on):
        vocabulary.known(act.type, report.at("due_at_once_on", n, "type"))


def _published(link: WrittenLink, by_owing: bool, known: EventType, report: Report) -> None:
    if not known.publishers:
        report.at("type").say(
            f"no agency publishes {known.name}, so it can satisfy nothing", "name an act of an agency"
        )
    silent = [role.agency.value for role in link.owed_by if by_owing and not may_publish(known, role.agency)]
    if silent:
        report.say(f"{known.name} is never published by {listed(silent)}, which owes the act", "leave out  by: owing")


def _satisfying(link: WrittenLink) -> Iterator[tuple[Path, Act]]:
    for g, group in enumerate(groups(link)):
        for n, act in enumerate(group):
            yield (("satisfied_by", "all", g, n) if isinstance(link.satisfied_by, AllOf) else ("satisfied_by", n)), act


def acts_of(link: WrittenLink) -> Iterator[tuple[Path, Act]]:
    """Every act a link names besides its trigger, with its place below the link."""
    yield from _satisfying(link)
    yield from ((("acknowledged_by", n), act) for n, act in enumerate(link.acknowledged_by))
    yield from ((("due_at_once_on", n), act) for n, act in enumerate(link.due_at_once_on))


def too_early(rung: Rung, time_to_act: timedelta | None) -> bool:
    """Whether a warning would come before the clock of the link has started."""
    return time_to_act is not None and rung.after.elapsed < -time_to_act
