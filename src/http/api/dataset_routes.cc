// /v1/datasets: labelled data, to measure policies on. They belong to whoever may write policies,
// not to one key.
#include <utility>

#include "base/utc_time.h"
#include "http/api/eval_run.h"
#include "http/api/file_json.h"
#include "http/api/route_parts.h"
#include "http/domain_json.h"
#include "http/json_input.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;
using moderation::FileInfo;

Json DatasetJson(const FileInfo& file) {
  return {{"dataset", file.id},
          {"name", file.name},
          {"bytes", file.bytes},
          {"created", UtcText(file.created)},
          {"mapping", file.notes.empty() ? Json(nullptr) : Json::parse(file.notes)}};
}

void AddFacts(const DatasetFacts& facts, Json& json) {
  json["records"] = facts.records;
  json["violations"] = facts.violations;
  json["safe"] = facts.safe;
  json["unlabelled"] = facts.unlabelled;
  json["line_errors"] = facts.line_errors;
  json["first_errors"] = facts.first_errors;
}

OrProblem<Response> Upload(const RouteContext& context, const Request& request) {
  const auto files = FilesOf(context);
  std::map<std::string, std::string> fields = {{"name", ""}, {"mapping", ""}};
  OrProblem<SentFile> sent =
      files ? ReadUpload(request, kDatasetPurpose, fields) : std::unexpected(files.error());
  if (!sent) {
    return std::unexpected(sent.error());
  }
  moderation::NewFile& file = sent->file;
  file.owner = kSharedOwner;
  file.name = fields["name"].empty() ? file.name : fields["name"];
  const OrProblem<DatasetMapping> mapping = ReadDatasetMapping(fields["mapping"]);
  if (!mapping) {
    return std::unexpected(mapping.error());
  }
  file.notes = DatasetMappingText(*mapping);
  const Result<DatasetFacts> facts = context.parts.read_dataset(sent->bytes, file.name, *mapping);
  if (!facts) {
    Problem problem = ProblemOf(facts.error());
    if (facts.error().code != ErrorCode::kUnavailable) {
      problem.status = 422;
      problem.code = mapping->empty() ? "not-a-dataset" : "wrong-mapping";
      problem.pointer = mapping->empty() ? "/file" : "/mapping";
    }
    return std::unexpected(std::move(problem));
  }
  const Result<FileInfo> added = (*files)->AddFrom(file, sent->bytes, context.parts.now());
  if (!added) {
    return std::unexpected(FileProblem(added.error()));
  }
  Json json = DatasetJson(*added);
  AddFacts(*facts, json);
  Response response = JsonResponse(201, json);
  response.headers.push_back({"location", "/v1/datasets/" + added->id});
  return response;
}

OrProblem<FileInfo> FindDataset(const RouteContext& context, const std::string& id) {
  const auto files = FilesOf(context);
  if (!files) {
    return std::unexpected(files.error());
  }
  const Result<FileInfo> file = (*files)->Find(kSharedOwner, id);
  if (!file && file.error().code != ErrorCode::kNotFound) {
    return std::unexpected(FileProblem(file.error()));
  }
  if (!file || file->purpose != kDatasetPurpose) {
    return std::unexpected(Problem{404,
                                   "unknown-dataset",
                                   "there is no dataset \"" + id + "\"",
                                   "GET /v1/datasets lists those there are",
                                   {}});
  }
  return *file;
}

OrProblem<Response> Show(const RouteContext& context, const Request& request) {
  const OrProblem<FileInfo> file = FindDataset(context, request.values.at("id"));
  if (!file) {
    return std::unexpected(file.error());
  }
  const OrProblem<DatasetMapping> mapping = ReadDatasetMapping(file->notes);
  if (!mapping) {
    return std::unexpected(mapping.error());
  }
  const auto facts = context.parts.read_dataset(moderation::SourceOf(*context.parts.files, *file),
                                                file->name, *mapping);
  if (!facts) {
    return std::unexpected(FileProblem(facts.error()));
  }
  Json json = DatasetJson(*file);
  AddFacts(*facts, json);
  return JsonResponse(200, json);
}

OrProblem<Response> List(const RouteContext& context, const Request& request) {
  const auto files = FilesOf(context);
  const OrProblem<Page> asked = files ? ReadPage(request) : std::unexpected(files.error());
  if (!asked) {
    return std::unexpected(asked.error());
  }
  Result<std::vector<FileInfo>> page = (*files)->List({.owner = kSharedOwner,
                                                       .purpose = kDatasetPurpose,
                                                       .before = asked->after,
                                                       .limit = asked->size + 1});
  if (!page) {
    return std::unexpected(FileProblem(page.error()));
  }
  const bool more = page->size() > asked->size;
  page->resize(page->size() - (more ? 1 : 0));
  Json data = Json::array();
  for (const FileInfo& file : *page) {
    data.push_back(DatasetJson(file));
  }
  return PageResponse(std::move(data), more ? page->back().number : 0);
}

OrProblem<Response> Remove(const RouteContext& context, const Request& request) {
  const OrProblem<FileInfo> file = FindDataset(context, request.values.at("id"));
  if (!file) {
    return std::unexpected(file.error());
  }
  const Status removed = context.parts.files->Remove(kSharedOwner, file->id);
  return removed
             ? OrProblem<Response>(JsonResponse(200, {{"dataset", file->id}, {"deleted", true}}))
             : std::unexpected(FileProblem(removed.error()));
}

}  // namespace

std::vector<Route> DatasetRoutes(const RouteContext& context) {
  const auto route = [&](const char* method, const char* pattern, RouteFunction function) {
    return DiskRoute(context, method, pattern, function, Scope::kPolicyWrite);
  };
  Route upload = route("POST", "/v1/datasets", Upload);
  upload.form = true;
  upload.idempotent = true;
  return {std::move(upload), route("GET", "/v1/datasets", List),
          route("GET", "/v1/datasets/{id}", Show), route("DELETE", "/v1/datasets/{id}", Remove)};
}

}  // namespace safeguard::http
