"""Everybody that Kafka knows by name: the brokers themselves, the services, the people who operate, the agencies."""

from __future__ import annotations

from ccr_events.agencies import REPORTING, Agency

NODE = "node"
"""The brokers among themselves. It has no password: a node is known by the certificate of its cluster's authority."""
ADMIN = "admin"
"""May do everything: gives out rights and users. For a person at set-up, never for a service."""
OPERATOR = "operator"
"""Makes and alters topics, looks at groups and rights; cannot give itself a right."""
INTAKE = "intake"
CASEBOOK = "casebook"
MONITOR = "monitor"
PORTAL = "portal"
ALERTS = "alerts"
CONSOLE = "console"
"""A console for people to look with: how topics, groups and brokers are, and no record of any topic."""
SUPER_USERS = (NODE, ADMIN)
"""To whom Kafka's authorizer refuses nothing."""
AGENCY = "agency-"
"""Before an agency's code: the user of that agency's adapter."""


def agency_user(agency: Agency) -> str:
    """Name of an agency's user. Raises `ValueError` for the tracking entity, which publishes through the portal."""
    if agency is Agency.CCR:
        raise ValueError("the tracking entity has no adapter, so no inbound topic and no user")
    return AGENCY + agency.value


SERVICES = (INTAKE, CASEBOOK, MONITOR, PORTAL, ALERTS)
AGENCIES = tuple(agency_user(agency) for agency in REPORTING)
USERS = (ADMIN, OPERATOR, CONSOLE, *SERVICES, *AGENCIES)
"""Everybody with a password."""
