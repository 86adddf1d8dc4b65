"""Topics on which agencies publish: `ccr.inbound.<agency>`, for adapters that speak Kafka instead of HTTP.

A record's value is what an adapter would have sent in a POST: a CloudEvent in JSON (structured form), or an array of
them. Its header `content-type` says which; without one, the first character does. The header `alerting` with the value
`0` marks history. Who may write a topic is the cluster's rule (an ACL), so the agency of a record is its topic's,
whatever its `source` says.

A topic gives no answer. What became of a record is seen like this:

- accepted: the event is on the timeline of its case, and its `ccr_events` metric counts it;
- quarantined: `GET /v1/quarantine` with a key of the agency lists it, with the fields and what is wrong with them;
- forbidden (a type the agency may not publish): nothing of it is kept; the metric `ccr_refused` counts it, and the log
  of the worker names topic and offset;
- undecodable (compressed, and written before the broker undid that): its record batch is quarantined as it lies on the
  topic; the entry and the log of the worker name topic, partition, offsets and why;
- not yet: while the topic may not be read or is damaged, while the store or Kafka refuses, or while the agency's
  quarantine is full, its topic waits and nothing is skipped; `/readyz` and `ccr_inbound_waiting` say so, and
  `ccr_inbound_lag_records` how much waits.
"""

from services.intake.inbound.consumer import GROUP, InboundTopics, Standing
from services.intake.inbound.reading import Arrived, Source, agencies_topics, arrived

__all__ = ["GROUP", "Arrived", "InboundTopics", "Source", "Standing", "agencies_topics", "arrived"]
