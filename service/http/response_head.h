// Completes the head of an answer, and serializes answers.
#pragma once

#include <string>

#include "service/http/router.h"

namespace viewcount {

// Sets the version, keep-alive and the fields that every answer has.
void CompleteHead(HttpResponse& response, unsigned version, bool keep_alive);

// Returns the bytes of a complete answer with a body and without events. `version` is Beast's number, 10 or 11.
std::string Serialize(HttpResponse response, unsigned version, bool keep_alive);

}  // namespace viewcount
