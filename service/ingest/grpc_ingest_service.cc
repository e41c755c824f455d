#include "service/ingest/grpc_ingest_service.h"

#include <mutex>
#include <utility>

#include "service/base/status.h"
#include "service/grpc/status.h"
#include "service/ingest/raw_message.h"

namespace viewcount {
namespace {

absl::Status BrokenMessage() { return absl::InternalError("the message could not be read"); }

// One RecordViews call; the batch itself, so that a call costs one allocation.
class RecordViewsCall final : public grpc::ServerUnaryReactor, public Batch {
 public:
  RecordViewsCall(Ingestor& ingestor, const grpc::ByteBuffer& message, grpc::ByteBuffer& response)
      : response_(response) {
    absl::Status status = BrokenMessage();
    if (message_.Assign(message)) {
      bytes = message_.bytes();
      status = ingestor.Submit(this);
    }
    if (!status.ok()) Finish(ToGrpc(status));
  }

  void Done(const absl::Status& status, const IngestResult& result) override {
    if (status.ok()) response_ = ToResponse(result);
    Finish(ToGrpc(status));
  }
  void OnDone() override { delete this; }

 private:
  RawMessage message_;
  grpc::ByteBuffer& response_;
};

// One StreamViews call. It reads the next request when the one before is answered: order comes from the stream, and the
// sender is slowed down by the connection's flow control.
class StreamViewsCall final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>, public Batch {
 public:
  explicit StreamViewsCall(Ingestor& ingestor) : ingestor_(ingestor) { StartRead(&incoming_); }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    if (!message_.Assign(incoming_)) return Finish(ToGrpc(BrokenMessage()));
    bytes = message_.bytes();
    if (auto status = ingestor_.Submit(this); !status.ok()) Finish(ToGrpc(status));
  }
  void Done(const absl::Status& status, const IngestResult& result) override {
    if (!status.ok()) return Finish(ToGrpc(status));
    outgoing_ = ToResponse(result);
    StartWrite(&outgoing_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    StartRead(&incoming_);
  }
  void OnDone() override { delete this; }

 private:
  Ingestor& ingestor_;
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;
  RawMessage message_;
};

}  // namespace

grpc::ServerUnaryReactor* GrpcIngestService::RecordViews(grpc::CallbackServerContext*, const grpc::ByteBuffer* request,
                                                         grpc::ByteBuffer* response) {
  return new RecordViewsCall(ingestor_, *request, *response);
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* GrpcIngestService::StreamViews(
    grpc::CallbackServerContext*) {
  return new StreamViewsCall(ingestor_);
}

}  // namespace viewcount
