// The methods of IngestService. They work on the raw bytes of the requests.
#pragma once

#include "service/grpc/http2/call.h"
#include "service/ingest/ingestor.h"

namespace viewcount {

inline constexpr char kRecordViewsPath[] = "/viewcount.v1.IngestService/RecordViews";
inline constexpr char kStreamViewsPath[] = "/viewcount.v1.IngestService/StreamViews";

// Return the methods RecordViews and StreamViews for the gRPC server. The ingestor must outlive their calls. A call
// that a lane still holds ends with the lane at the latest.
Method RecordViewsMethod(Ingestor& ingestor);
Method StreamViewsMethod(Ingestor& ingestor);

}  // namespace viewcount
