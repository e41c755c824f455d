// What every answer says, and an answer as bytes.
#pragma once

#include <string>

#include "service/http/router.h"

namespace viewcount {

// Sets version, keep-alive and the fields of every answer.
void CompleteHead(HttpResponse& response, unsigned version, bool keep_alive);

// The bytes of a complete answer with a body, without events; `version` as Beast has it: 10 or 11.
std::string Serialize(HttpResponse response, unsigned version, bool keep_alive);

}  // namespace viewcount
