// One request as a web server logged it, before the rules of the site are applied.
#pragma once

#include <cstdint>
#include <string>

namespace viewcount::cli {

// The fields of one log line. Texts are decoded: without the escapes of the log's format. A field that the line does
// not have is empty. Objects are used again for many lines, so that their texts keep their memory.
struct LogRequest {
  // The address of the client as logged, perhaps with a port, or a list of addresses.
  std::string client;
  // The field that --client-field names, or empty.
  std::string named_client;
  // The virtual host, perhaps with a port.
  std::string host;
  std::string method;
  // A path with or without a query, or a whole URL. Careless clients leave spaces in it.
  std::string target;
  // The user agent. A dash, which stands for none, is left out.
  std::string agent;
  int status = 0;
  // The time of the request in milliseconds since 1970. Never 0.
  int64_t time_unix_ms = 0;

  void Clear() {
    for (auto* text : {&client, &named_client, &host, &method, &target, &agent}) text->clear();
    status = 0;
    time_unix_ms = 0;
  }
};

}  // namespace viewcount::cli
