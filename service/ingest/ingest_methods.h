// IngestService's methods, on the raw bytes of the requests.
#pragma once

#include "service/http2/call.h"
#include "service/ingest/ingestor.h"

namespace viewcount {

inline constexpr char kRecordViewsPath[] = "/viewcount.v1.IngestService/RecordViews";
inline constexpr char kStreamViewsPath[] = "/viewcount.v1.IngestService/StreamViews";

// The ingestor must outlive their calls, of which those that a lane has end with the lane at the latest.
Method RecordViewsMethod(Ingestor& ingestor);
Method StreamViewsMethod(Ingestor& ingestor);

}  // namespace viewcount
