// Implements the commands annotation put, list and delete.
#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <CLI/CLI.hpp>

#include "client/cli/annotation_options.h"
#include "client/cli/commands.h"

namespace viewcount::cli {

void AddAnnotationPutOptions(CLI::App& command, AnnotationPutCommand& options) {
  command.add_option("TEXT", options.text, "The note: one line of up to 500 bytes")->required();
  command.add_option("--time", options.time, "Its moment: 2026-11-30T07:00:00+07:00; now if not given")
      ->type_name("TIME");
  command.add_option("--article", options.article, "The article ID that it is about; the whole site if not given");
  command.add_option("--id", options.id, "The annotation that it replaces");
}

void AddAnnotationDeleteOptions(CLI::App& command, AnnotationDeleteCommand& options) {
  command.add_option("ID", options.id, "The annotation, as annotation list shows it")->required();
}

absl::Status Run(Session& session, const AnnotationPutCommand& command) {
  using google::protobuf::util::TimeUtil;
  v1::PutAnnotationRequest request;
  v1::Annotation& annotation = *request.mutable_annotation();
  if (command.time.empty()) {
    *annotation.mutable_time() = TimeUtil::GetCurrentTime();
  } else if (!TimeUtil::FromString(command.time, annotation.mutable_time())) {
    return absl::InvalidArgumentError("--time must be a time such as 2026-11-30T07:00:00+07:00");
  }
  const auto site = session.Site();
  if (!site.ok()) return site.status();
  request.set_site(*site);
  annotation.set_annotation_id(command.id);
  annotation.set_text(command.text);
  annotation.set_article_id(command.article);
  annotation.set_who(UserName());
  const auto response = session.Call(session.admin(), &v1::AdminService::Stub::PutAnnotation, request);
  if (!response.ok()) return response.status();
  if (session.options().json) return Print(JsonOf(*response)), absl::OkStatus();
  const std::string& id = response->annotation().annotation_id();
  Print(fmt::format("noted at {}; take it back with: viewcount --site {} annotation delete {}\n",
                    TimeText(response->annotation().time()), *site, id));
  return absl::OkStatus();
}

absl::Status Run(Session& session, const AnnotationListCommand&) {
  const auto site = session.Site();
  if (!site.ok()) return site.status();
  v1::ListAnnotationsRequest request;
  request.set_site(*site);
  const auto response = session.Call(session.admin(), &v1::AdminService::Stub::ListAnnotations, request);
  if (!response.ok()) return response.status();
  if (session.options().json) return Print(JsonOf(*response)), absl::OkStatus();
  Table table({{"TIME"}, {"ID"}, {"WHO"}, {"ARTICLE"}, {"TEXT"}});
  for (const auto& annotation : response->annotations()) {
    table.Add({TimeText(annotation.time()), annotation.annotation_id(), annotation.who(), annotation.article_id(),
               annotation.text()});
  }
  Print(response->annotations().empty() ? "no annotations yet\n" : table.Text());
  return absl::OkStatus();
}

absl::Status Run(Session& session, const AnnotationDeleteCommand& command) {
  const auto site = session.Site();
  if (!site.ok()) return site.status();
  v1::DeleteAnnotationRequest request;
  request.set_site(*site);
  request.set_annotation_id(command.id);
  const auto response = session.Call(session.admin(), &v1::AdminService::Stub::DeleteAnnotation, request);
  if (!response.ok()) return response.status();
  Print(session.options().json ? JsonOf(*response) : "deleted\n");
  return absl::OkStatus();
}

}  // namespace viewcount::cli
