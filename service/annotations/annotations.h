// Annotations: notes at moments of a site's time, kept in the store.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/awaitable.hpp>

#include "service/annotations/annotation_limits.h"
#include "service/sites/site_directory.h"
#include "service/store/annotation_store.h"
#include "viewcount/v1/annotations.pb.h"

namespace viewcount {

// Answers requests about annotations. Runs on the store's executor. The objects that it refers to must outlive it.
// Errors are those that admin.proto states for each RPC.
class Annotations {
 public:
  Annotations(const SiteDirectory& sites, AnnotationStore& store) : sites_(sites), store_(store) {}

  // Concurrent calls of several instances may exceed kAnnotationsMax by their number.
  boost::asio::awaitable<absl::Status> Put(const v1::PutAnnotationRequest& request,
                                           v1::PutAnnotationResponse& response);
  // Leaves out what this version cannot read.
  boost::asio::awaitable<absl::Status> List(const v1::ListAnnotationsRequest& request,
                                            v1::ListAnnotationsResponse& response);
  boost::asio::awaitable<absl::Status> Delete(const v1::DeleteAnnotationRequest& request,
                                              v1::DeleteAnnotationResponse& response);

 private:
  const SiteDirectory& sites_;
  AnnotationStore& store_;
};

}  // namespace viewcount
