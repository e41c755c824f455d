#include "service/http/views_answer.h"

#include <string>

#include "service/http/json.h"
#include "viewcount/v1/ingest.pb.h"

namespace viewcount {

HttpResponse ViewsAnswer(const IngestResult& result, std::string_view hint) {
  v1::RecordViewsResponse response;
  response.set_accepted_views(result.accepted_views);
  response.set_duplicate(result.duplicate);
  response.set_last_sequence(result.last_sequence);
  response.set_durability(static_cast<v1::Durability>(result.durability));
  if (!hint.empty()) response.set_hint(std::string(hint));
  return JsonResponse(response);
}

}  // namespace viewcount
