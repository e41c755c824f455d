// Protobuf messages as gRPC's byte buffers.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <string>
#include <string_view>

#include "service/ingest/batch.h"
#include "viewcount/v1/ingest.pb.h"

namespace viewcount {

// A received message as one piece of memory, which lives as long as this.
class RawMessage {
 public:
  // Copies only if the message came in several pieces. False if gRPC says the buffer is broken.
  bool Assign(const grpc::ByteBuffer& buffer) {
    return buffer.TrySingleSlice(&slice_).ok() || buffer.DumpToSingleSlice(&slice_).ok();
  }
  std::string_view bytes() const { return {reinterpret_cast<const char*>(slice_.begin()), slice_.size()}; }

 private:
  grpc::Slice slice_;
};

// RecordViewsResponse; StreamViewsResponse has the same fields and numbers.
inline grpc::ByteBuffer ToResponse(const IngestResult& result) {
  v1::RecordViewsResponse response;
  response.set_accepted_views(result.accepted_views);
  response.set_duplicate(result.duplicate);
  response.set_last_sequence(result.last_sequence);
  response.set_durability(static_cast<v1::Durability>(result.durability));
  const std::string bytes = response.SerializeAsString();
  const grpc::Slice slice(bytes.data(), bytes.size());
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace viewcount
