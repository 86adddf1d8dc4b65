"""What an advocacy program may and may not put on the shared log, and that nothing of it is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.intake.quarantine import BodyNotKept
from tests.support.doors import an_event, doorway, event_id

SHARED: dict[str, Any] = {"release_id": "R-1", "content": "PLANTED words", "purpose": "court", "recipients": ["pros"]}


async def test_referral_is_answered_without_naming_anybody(tmp_path: Path) -> None:
    async with doorway(tmp_path) as way:
        await way.accept(an_event(1, "referral.advocacy_accepted", status="received"), agency="adv")


async def test_information_is_shared_only_under_a_live_release(tmp_path: Path) -> None:
    asked = []

    def is_live(release_id: str, at: object) -> bool:
        asked.append(release_id)
        return release_id == "R-1"

    event = an_event(1, "advocate.information_shared", **SHARED)
    async with doorway(tmp_path / "live", release_is_live=is_live) as way:
        await way.accept(event, agency="adv")
        revoked = an_event(2, "advocate.information_shared", **{**SHARED, "release_id": "R-2"})
        assert (await way.submit(revoked, agency="adv"))[0].status == "forbidden"
    assert asked == ["R-1", "R-2"]
    async with doorway(tmp_path / "none") as way:
        [receipt] = await way.submit(event, agency="adv")
        assert (receipt.status, receipt.problems[0].pointer) == ("forbidden", "/data/release_id")
        assert await way.engine.log.read(0) == []
        assert await way.quarantine.waiting() == []


@pytest.mark.parametrize(
    "event",
    [
        an_event(
            1, "referral.advocacy_accepted", status="received", parties=({"role": "victim", "phone": "555-0100"},)
        ),
        an_event(1, "referral.advocacy_accepted", status="received", no_such_field="PLANTED words"),
        an_event(1, "record.seal_applied", parties=({"role": "victim", "name": {"surname": "PLANTED"}},)),
        an_event(1, "link.completed", link_id="L", role="advocate", note="PLANTED words"),
        an_event(1, "no.such_type", anything="PLANTED words"),
    ],
)
async def test_what_is_refused_of_an_advocacy_program_is_not_kept(tmp_path: Path, event: Any) -> None:
    async with doorway(tmp_path) as way:
        [receipt] = await way.submit(event, agency="adv")
        assert receipt.status in ("forbidden", "quarantined")
        assert receipt.problems
        for held in await way.quarantine.waiting():
            with pytest.raises(BodyNotKept):
                await way.quarantine.open(held.id, purpose="repair", by="k")
            with pytest.raises(BodyNotKept):
                await way.quarantine.redrive(held.id, body=None, by="k")
        stored = await way.engine.writer.read(lambda tx: tx.quarantine.waiting(10))
        assert all(held.sealed_body == "" for held in stored)


async def test_program_completes_what_it_owes_without_a_word_about_it(tmp_path: Path) -> None:
    async with doorway(tmp_path) as way:
        await way.accept(an_event(1, refs=(("incident_no", "26-1"),), dv="yes"))
        link = next(link for link in await way.engine.links.links() if link.agency == "adv")
        done = an_event(2, "link.completed", link_id=link.id, role="advocate", note="PLANTED words")
        [receipt] = await way.submit(done, agency="adv")
        assert (receipt.status, [p.pointer for p in receipt.problems]) == ("forbidden", ["/data/note"])
        assert await way.quarantine.waiting() == []
        await way.accept(an_event(3, "link.completed", link_id=link.id, role="advocate"), agency="adv")


@pytest.mark.parametrize("reason", ["done_otherwise", "unsafe_to_act", "not_possible", "not_applicable", "duplicate"])
async def test_program_waives_without_a_reason_that_tells_of_help_used(tmp_path: Path, reason: str) -> None:
    async with doorway(tmp_path) as way:
        await way.accept(an_event(1, refs=(("incident_no", "26-1"),), dv="yes"))
        link = next(link for link in await way.engine.links.links() if link.agency == "adv")
        waiver: dict[str, Any] = {"link_id": link.id, "role": "advocacy director"}
        [receipt] = await way.submit(an_event(2, "link.waived", reason=reason, **waiver), agency="adv")
        assert (receipt.status, [p.pointer for p in receipt.problems]) == ("forbidden", ["/data/reason"])
        await way.accept(an_event(3, "link.waived", reason="other", **waiver), agency="adv")


async def test_refused_answer_is_redriven_with_a_body_repaired_by_the_program(tmp_path: Path) -> None:
    async with doorway(tmp_path) as way:
        [receipt] = await way.submit(an_event(1, "referral.advocacy_accepted", status="recieved"), agency="adv")
        assert receipt.quarantine_id is not None
        body = (
            b'{"specversion":"1.0","id":"%s","source":"/x","type":"referral.advocacy_accepted",'
            b'"time":"2026-03-01T22:00:00Z","data":{"status":"received",'
            b'"references":[{"kind":"referral_no","number":"R-1"}]}}' % event_id(1).encode()
        )
        repaired = await way.quarantine.redrive(receipt.quarantine_id, body=body, by="k")
        assert repaired.status == "accepted"
