// Routes for Grafana's data sources SimpleJson and JSON (simpod). docs/grafana.md says how to set one up.
#pragma once

#include "service/http/reader_rules.h"
#include "service/http/router.h"

namespace viewcount {

// Adds these routes under /v1/grafana:
// - GET of the base, which Grafana tests a connection with;
// - POST /query: views by time as [value, Unix milliseconds], and tables of the most viewed articles;
// - POST /search, /metrics, /metric-payload-options and /variable: what an editor offers;
// - POST /annotations, /tag-keys and /tag-values: empty lists, because Grafana asks for them.
//
// Everything that `parts` refers to must outlive the server.
void AddGrafanaRoutes(HttpRouter& router, const ReaderParts& parts);

}  // namespace viewcount
