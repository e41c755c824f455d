// IngestService over gRPC, on the raw bytes of the requests.
#pragma once

#include "service/ingest/ingestor.h"
#include "viewcount/v1/ingest.grpc.pb.h"

namespace viewcount {

// Thread safe, as gRPC asks. The ingestor must outlive it; calls under way keep themselves alive.
class GrpcIngestService final : public v1::IngestService::WithRawCallbackMethod_RecordViews<
                                    v1::IngestService::WithRawCallbackMethod_StreamViews<v1::IngestService::Service>> {
 public:
  explicit GrpcIngestService(Ingestor& ingestor) : ingestor_(ingestor) {}

  grpc::ServerUnaryReactor* RecordViews(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StreamViews(
      grpc::CallbackServerContext* context) override;

 private:
  Ingestor& ingestor_;
};

}  // namespace viewcount
