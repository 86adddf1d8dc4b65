"""Who may do what, without a broker: as little as each needs."""

from __future__ import annotations

from collections import defaultdict

import pytest

from ccr_events.agencies import Agency
from services.casebook.worker import SERVICE as CASEBOOK_SERVICE
from services.engine.kafka.security.acls import GROUPS, Acl, wanted_acls
from services.engine.kafka.security.acls_applied import acl_differences
from services.engine.kafka.security.principals import AGENCIES, CONSOLE, OPERATOR, SERVICES, USERS, agency_user
from services.engine.kafka.topics import Size, catalogue
from services.engine.kafka.topics.catalogue import EVENTS, INBOUND, LINKS
from services.intake.inbound.consumer import GROUP as INTAKE_GROUP

WANTED = wanted_acls(Size(4, 1))
TOPICS = {topic.name for topic in catalogue(Size(4, 1))}


def may(principal: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for acl in WANTED:
        if acl.principal == principal:
            found[acl.operation].add(acl.name)
    return found


@pytest.mark.parametrize("agency", [agency for agency in Agency if agency is not Agency.CCR])
def test_an_agency_writes_one_topic_and_does_nothing_else(agency: Agency) -> None:
    own = {INBOUND + agency.value}
    assert may(agency_user(agency)) == {"write": own, "describe": own}
    assert not any(acl.prefixed for acl in WANTED if acl.principal == agency_user(agency))


def test_the_tracking_entity_has_no_adapter() -> None:
    with pytest.raises(ValueError, match="no adapter"):
        agency_user(Agency.CCR)


def test_nobody_but_services_reads_an_event_and_no_console_any_record() -> None:
    readers = {acl.principal for acl in WANTED if acl.operation == "read" and acl.name == EVENTS}
    assert readers == {"casebook", "monitor"}
    assert "read" not in may(CONSOLE)
    assert may(OPERATOR)["read"] == {"ccr.layout"}


def test_services_name_topics_of_the_catalogue_in_full() -> None:
    theirs = [acl for acl in WANTED if acl.principal in (*SERVICES, *AGENCIES)]
    assert {acl.name for acl in theirs if acl.resource == "topic"} <= TOPICS
    assert not any(acl.prefixed for acl in theirs if acl.resource == "topic")
    assert {(acl.principal, acl.operation) for acl in theirs if acl.resource not in ("topic", "group")} == {
        ("monitor", "idempotent_write")
    }


def test_the_monitor_writes_no_record() -> None:
    assert "write" not in may("monitor")


def test_groups_are_those_of_the_workers() -> None:
    assert GROUPS["intake"] == INTAKE_GROUP
    assert GROUPS["casebook"] == CASEBOOK_SERVICE
    assert {(acl.principal, acl.name) for acl in WANTED if acl.resource == "group" and acl.operation == "read"} == set(
        GROUPS.items()
    )


def test_only_known_users_have_acls_and_nobody_gives_them_out() -> None:
    assert {acl.principal for acl in WANTED} <= set(USERS)
    assert not [acl for acl in WANTED if acl.resource == "cluster" and acl.operation in ("alter", "all", "create")]
    assert all(acl.allows for acl in WANTED)


def test_every_inbound_topic_is_read_by_intake_alone() -> None:
    inbound = {name for name in TOPICS if name.startswith(INBOUND)}
    readers = {(acl.principal, acl.name) for acl in WANTED if acl.operation == "read" and acl.name in inbound}
    assert readers == {("intake", name) for name in inbound}


def test_the_generation_in_force_is_what_counts() -> None:
    names = {acl.name for acl in wanted_acls(Size(4, 1, generation=2))}
    assert f"{EVENTS}.g2" in names
    assert EVENTS not in names


def test_what_is_missing_and_what_is_extra_is_told() -> None:
    by_hand = Acl("agency-le", "topic", LINKS, "read")
    lost = WANTED[0]
    found = acl_differences(WANTED, {*WANTED, by_hand} - {lost})
    assert [(each.what, each.acl) for each in found] == [("missing", lost), ("extra", by_hand)]
    assert str(found[1]) == "extra: agency-le may read topic ccr.links"
    assert acl_differences(WANTED, WANTED) == ()


def test_an_acl_of_another_host_or_that_forbids_is_another_one() -> None:
    acl = WANTED[0]
    here = Acl(acl.principal, acl.resource, acl.name, acl.operation, host="127.0.0.1")
    forbids = Acl(acl.principal, acl.resource, acl.name, acl.operation, allows=False)
    assert {each.acl for each in acl_differences(WANTED, {*WANTED, here, forbids})} == {here, forbids}
    assert "may not" in str(forbids)
    assert "from 127.0.0.1" in str(here)
