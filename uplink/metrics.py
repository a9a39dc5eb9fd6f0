"""The uplink's figures for Prometheus, on this machine alone. The only file that knows prometheus_client."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from uplink.errors import LinkError, UplinkError
from uplink.figures import BOUNDS_S, Figures, RoundTrips

_HOST = "127.0.0.1"


class Metrics:
    """``http://127.0.0.1:PORT/metrics``, as long as it is open; a context manager. `port` 0 lets the system choose."""

    def __init__(self, figures: Callable[[], Figures], port: int) -> None:
        """Listen; raises LinkError where that cannot be. `figures` is called at each look, on another thread."""
        registry = CollectorRegistry()
        registry.register(_Figures(figures))
        self._server: WSGIServer
        self._thread: threading.Thread
        try:
            self._server, self._thread = start_http_server(port, _HOST, registry)
        except OSError as error:
            raise LinkError(
                f"metrics cannot be shown on {_HOST}:{port} ({error.strerror}); name another port"
            ) from None

    @property
    def url(self) -> str:
        """Where they are."""
        return f"http://{_HOST}:{self._server.server_port}/metrics"

    def close(self) -> None:
        """Show them no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Metrics:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()


class _Figures(Collector):
    def __init__(self, figures: Callable[[], Figures]) -> None:
        self._figures = figures

    def describe(self) -> list[Metric]:
        """Give nothing: what there is, is found out at each look."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Give the figures of now; none where the spool cannot be read."""
        try:
            figures = self._figures()
        except UplinkError:
            return
        yield from _gauges(figures)
        yield from _counters(figures)
        yield _histogram(figures.tally.round_trips)


def _gauges(figures: Figures) -> Iterator[Metric]:
    waiting = figures.waiting
    for name, text, value in (
        ("connected", "Whether there is a connection to the broker", float(figures.up)),
        ("waiting_clips", "Clips of which parts wait for their receipts", waiting.clips),
        ("waiting_parts", "Parts that wait for their receipts", waiting.parts),
        ("waiting_bytes", "Bytes of payload that wait for their receipts", waiting.size),
        ("oldest_seconds", "Age of the oldest waiting clip, in time in which a device listened", waiting.oldest_s),
        ("in_flight_parts", "Parts on their way", figures.on_their_way),
    ):
        yield GaugeMetricFamily(f"misheard_uplink_{name}", text, value)


def _counters(figures: Figures) -> Iterator[Metric]:
    tally = figures.tally
    for name, text, value in (
        ("sent_parts", "Parts sent for the first time", tally.sent),
        ("retries", "Parts sent again", tally.retries),
        ("receipts", "Receipts for parts that waited", tally.receipts),
        ("reconciled_parts", "Parts that the far end had when it was asked", tally.reconciled),
        ("connections", "Connections to the broker", tally.connections),
        ("dropped_events", "Events that could not be told", tally.events_dropped),
    ):
        yield CounterMetricFamily(f"misheard_uplink_{name}", text, value)
    refused = CounterMetricFamily("misheard_uplink_refused_messages", "Messages not believed", labels=["reason"])
    for reason, count in sorted(tally.refused.items()):
        refused.add_metric([reason], count)
    yield refused
    clips = CounterMetricFamily("misheard_spool_dropped_clips", "Clips dropped, ever", labels=["why"])
    parts = CounterMetricFamily("misheard_spool_dropped_parts", "Parts dropped with them, ever", labels=["why"])
    for why, dropped in figures.dropped.items():
        clips.add_metric([why], dropped.clips)
        parts.add_metric([why], dropped.parts)
    yield from (clips, parts)


def _histogram(trips: RoundTrips) -> Metric:
    total = 0
    buckets = []
    for bound, count in zip([*map(str, BOUNDS_S), "+Inf"], trips.counts, strict=True):
        total += count
        buckets.append((bound, float(total)))
    return HistogramMetricFamily(
        "misheard_uplink_round_trip_seconds", "From a part's only sending to its receipt", buckets, trips.total_s
    )
