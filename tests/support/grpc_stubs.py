"""The service's RPCs as functions.

They are written by hand because Debian has no grpc_tools for Python. Import this module after messages.generate().
"""

import grpc

from grpc_messages import health_pb2, reflection_pb2
from viewcount.v1 import admin_pb2, ingest_pb2, query_pb2, transfer_pb2

CALL_SECONDS_MAX = 10


class Stubs:
    """The stubs of all services on one channel. Every call has a deadline of CALL_SECONDS_MAX.

    Use this class as a context manager, which closes the channel.
    """

    def __init__(self, address):
        self._channel = grpc.insecure_channel(address)
        self.record_views = self._unary("viewcount.v1.IngestService/RecordViews", ingest_pb2.RecordViewsRequest,
                                        ingest_pb2.RecordViewsResponse)
        self.stream_views = self._stream("viewcount.v1.IngestService/StreamViews", ingest_pb2.StreamViewsRequest,
                                         ingest_pb2.StreamViewsResponse)
        self.get_counts = self._unary("viewcount.v1.QueryService/GetCounts", query_pb2.GetCountsRequest,
                                      query_pb2.GetCountsResponse)
        self.list_popular = self._unary("viewcount.v1.QueryService/ListPopular", query_pb2.ListPopularRequest,
                                        query_pb2.ListPopularResponse)
        self.get_site_stats = self._unary("viewcount.v1.QueryService/GetSiteStats", query_pb2.GetSiteStatsRequest,
                                          query_pb2.GetSiteStatsResponse)
        self.get_series = self._unary("viewcount.v1.QueryService/GetSeries", query_pb2.GetSeriesRequest,
                                      query_pb2.GetSeriesResponse)
        self.watch_counts = self._bounded(
            self._channel.unary_stream("/viewcount.v1.QueryService/WatchCounts",
                                       query_pb2.WatchCountsRequest.SerializeToString,
                                       query_pb2.WatchCountsResponse.FromString))
        self.set_counts = self._admin("SetCounts")
        self.delete_articles = self._admin("DeleteArticles")
        self.merge_articles = self._admin("MergeArticles")
        self.list_adjustments = self._admin("ListAdjustments")
        self.undo_adjustment = self._admin("UndoAdjustment")
        self.import_counts = self._bounded(
            self._channel.stream_unary("/viewcount.v1.AdminService/ImportCounts",
                                       transfer_pb2.ImportCountsRequest.SerializeToString,
                                       transfer_pb2.ImportCountsResponse.FromString))
        self.export_snapshot = self._bounded(
            self._channel.unary_stream("/viewcount.v1.AdminService/ExportSnapshot",
                                       transfer_pb2.ExportSnapshotRequest.SerializeToString,
                                       admin_pb2.ExportSnapshotResponse.FromString))
        self.flush = self._admin("Flush")
        self.put_articles = self._admin("PutArticles")
        self._health = self._unary("grpc.health.v1.Health/Check", health_pb2.HealthCheckRequest,
                                   health_pb2.HealthCheckResponse)
        self._reflection = self._stream("grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                                        reflection_pb2.ServerReflectionRequest,
                                        reflection_pb2.ServerReflectionResponse)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._channel.close()

    def health(self, name):
        """Returns the name of a service's health state. The name "" stands for the whole server."""
        status = self._health(health_pb2.HealthCheckRequest(service=name)).status
        return health_pb2.HealthCheckResponse.ServingStatus.Name(status)

    def reflected_services(self):
        """Returns the full names of all services."""
        question = reflection_pb2.ServerReflectionRequest(list_services="")
        answers = list(self._reflection(iter([question])))
        return [service.name for service in answers[0].list_services_response.service]

    def _admin(self, name):
        return self._unary("viewcount.v1.AdminService/" + name, getattr(admin_pb2, name + "Request"),
                           getattr(admin_pb2, name + "Response"))

    def _unary(self, method, request, response):
        return self._bounded(
            self._channel.unary_unary("/" + method, request.SerializeToString, response.FromString))

    def _stream(self, method, request, response):
        return self._bounded(
            self._channel.stream_stream("/" + method, request.SerializeToString, response.FromString))

    @staticmethod
    def _bounded(call):
        return lambda argument: call(argument, timeout=CALL_SECONDS_MAX)
