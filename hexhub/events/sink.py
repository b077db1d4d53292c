"""Events as points of InfluxDB 2 (and of what speaks its write API, such as VictoriaMetrics).

A point's measurement is the event's name. Tags are what has few values (InfluxDB keeps a series for
each combination): course, lesson, step, outcome, start, reason. All else is a field: ``id``,
``sequence``, ``user`` (a pseudonym) and the numbers. What the student's side claims has the tag
``reported``.

Design choices: InfluxDB takes a point with the measurement, tags and time of an older one for the
same point and overwrites it. That makes sending twice harmless, and would lose the second of two
students who do the same at the same microsecond: the event's sequence stands in the nanoseconds,
which our clocks do not have. (VictoriaMetrics counts milliseconds: with its
``-dedup.minScrapeInterval`` it takes two such events of one millisecond for one.) Synchronous
writes: the batching mode of influxdb-client returns before anything is sent, and drops what it
cannot send.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write.point import Point
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

from hexhub.errors import SinkRefused, SinkUnreachable
from hexhub.events.model import Event, EventValue
from hexhub.events.pseudonym import make_pseudonym
from hexhub.events.schemas import read_schema

TAGS = frozenset({"course", "lesson", "step", "outcome", "start", "reason"})
TIMEOUT_S = 10.0
_REFUSALS = frozenset({400, 413, 422})
"""HTTP statuses that are about the points; all others are about the server or our settings."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class InfluxSink:
    """Writes events to one bucket."""

    def __init__(
        self,
        url: str,
        *,
        token: str,
        org: str,
        bucket: str,
        pseudonym_key: bytes,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """Prepare; nothing is sent yet."""
        self._url = url
        self._bucket = bucket
        self._key = pseudonym_key
        self._client = InfluxDBClient(
            url=url, token=token, org=org, timeout=int(timeout_s * 1000), enable_gzip=True
        )
        self._api = self._client.write_api(write_options=SYNCHRONOUS)

    def write(self, events: Sequence[Event]) -> None:
        """Return when InfluxDB has acknowledged all events.

        Raises:
            SinkUnreachable: It does not answer, or answers with an error of its own or of access.
            SinkRefused: It does not take (all of) these points.
        """
        points = [make_point(event, self._key) for event in events]
        try:
            self._api.write(bucket=self._bucket, record=points)
        except ApiException as exc:
            answer = f"{self._url} answers {exc.status or 'nothing'}: {exc.message}"
            if exc.status in _REFUSALS:
                raise SinkRefused(answer) from exc
            raise SinkUnreachable(answer) from exc
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as exc:
            raise SinkUnreachable(f"{self._url} does not answer: {exc}") from exc

    def close(self) -> None:
        """Close the connections."""
        self._api.close()
        self._client.close()


def make_point(event: Event, pseudonym_key: bytes) -> Point:
    """Give an event as a point; the user name in it is a pseudonym."""
    sequence = event.sequence or 0
    point = Point(event.name.value)
    point.field("id", event.id).field("sequence", sequence)
    if event.is_reported:
        point.tag("reported", "true")
    properties = read_schema(event.name, event.version).properties
    for name, value in event.data.items():
        if name == "user":
            point.field("user", make_pseudonym(pseudonym_key, str(value)))
        elif name in TAGS:
            point.tag(name, value)
        else:
            point.field(name, _field(value, properties.get(name, {}).get("type")))
    microseconds = (event.at - _EPOCH) // timedelta(microseconds=1)
    point.time(microseconds * 1000 + sequence % 1000)
    return point


def _field(value: EventValue, type_name: str | None) -> str | int | float | bool:
    """Give a value in the one type that its field has in InfluxDB for ever."""
    if isinstance(value, list):
        return ",".join(value)
    if type_name == "number" and isinstance(value, int):
        return float(value)
    return value
