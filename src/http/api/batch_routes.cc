// OpenAI's /v1/batches: a file of requests, worked off while nobody waits.
#include <algorithm>
#include <utility>

#include "http/api/batch_lines.h"
#include "http/api/file_json.h"
#include "http/api/route_parts.h"
#include "http/domain_json.h"
#include "http/json_fields.h"
#include "http/json_input.h"
#include "moderation/batch_store.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;
using moderation::Batch;
using moderation::BatchState;
using moderation::BatchStore;
using moderation::TimeMs;

constexpr TimeMs kWindowMs = TimeMs{24} * 3600 * 1000;
constexpr std::size_t kMetadataMax = 16;
constexpr std::size_t kMetadataTextMax = 512;

OrProblem<BatchStore*> BatchesOf(const RouteContext& context) {
  if (context.parts.batches == nullptr || context.parts.files == nullptr) {
    return std::unexpected(Problem{
        409, "no-store", "this server keeps no batches", "start it with --data-dir DIR", {}});
  }
  return context.parts.batches;
}

Problem BatchProblem(const Error& error) {
  Problem problem = ProblemOf(error);
  if (error.code == ErrorCode::kNotFound) {
    problem.code = "unknown-batch";
  } else if (error.code == ErrorCode::kLimit) {
    problem.status = 429;
    problem.code = "overloaded";
    problem.retry_after = 60;
  } else if (error.code == ErrorCode::kInvalidInput) {
    problem.status = 409;
    problem.code = "not-allowed-now";
  }
  return problem;
}

Json TimeJson(TimeMs time) {
  return time == 0 ? Json(nullptr) : Json(time / 1000);
}
Json IdJson(const std::string& id) {
  return id.empty() ? Json(nullptr) : Json(id);
}

Json BatchJson(const Batch& batch) {
  const auto ended_as = [&](BatchState state) {
    return TimeJson(batch.state == state ? batch.ended : 0);
  };
  const auto kept = [](const std::string& json) {
    return json.empty() ? Json(nullptr) : Json::parse(json, nullptr, false);
  };
  return {{"id", batch.id},
          {"object", "batch"},
          {"endpoint", batch.what.endpoint},
          {"errors", kept(batch.errors)},
          {"input_file_id", batch.what.input_file},
          {"completion_window", "24h"},
          {"status", ToString(batch.state)},
          {"output_file_id", IdJson(batch.output_file)},
          {"error_file_id", IdJson(batch.error_file)},
          {"created_at", batch.created / 1000},
          {"in_progress_at", TimeJson(batch.begun)},
          {"expires_at", TimeJson(batch.what.expires)},
          {"finalizing_at", TimeJson(batch.state == BatchState::kCompleted ? batch.ended : 0)},
          {"completed_at", ended_as(BatchState::kCompleted)},
          {"failed_at", ended_as(BatchState::kFailed)},
          {"expired_at", ended_as(BatchState::kExpired)},
          {"cancelling_at", TimeJson(batch.cancelled)},
          {"cancelled_at", ended_as(BatchState::kCancelled)},
          {"request_counts",
           {{"total", batch.total},
            {"completed", batch.done - batch.failed},
            {"failed", batch.failed}}},
          {"metadata", kept(batch.what.metadata)}};
}

// Of 16 texts at most, as OpenAI's.
std::string ReadMetadata(Fields& fields) {
  const nlohmann::json* metadata = fields.Get("metadata");
  if (metadata == nullptr) {
    return "";
  }
  const bool good =
      metadata->is_object() && metadata->size() <= kMetadataMax &&
      std::ranges::all_of(metadata->items(), [](const auto& item) {
        return item.key().size() <= 64 && item.value().is_string() &&
               item.value().template get_ref<const std::string&>().size() <= kMetadataTextMax;
      });
  if (!good) {
    fields.Fault("metadata", "is no object of 16 short texts at most",
                 "give keys of up to 64 and texts of up to 512 bytes");
    return "";
  }
  return metadata->dump();
}

OrProblem<moderation::NewBatch> ReadBatchQuestion(const RouteContext& context,
                                                  const Request& request) {
  const OrProblem<nlohmann::json> json = ParseObject(request.body);
  if (!json) {
    return std::unexpected(json.error());
  }
  Fields fields(*json, "");
  moderation::NewBatch batch;
  batch.owner = request.caller_id;
  batch.input_file = fields.Text("input_file_id", kNameBytesMax);
  batch.endpoint = fields.Text("endpoint", kNameBytesMax);
  const bool talk = batch.endpoint == "/v1/chat/completions" || batch.endpoint == "/v1/responses";
  if (!talk && batch.endpoint != "/v1/moderations") {
    fields.Fault("endpoint", "is none that takes batches",
                 "there are: /v1/moderations, /v1/chat/completions, /v1/responses");
  } else if (talk && context.parts.chat == nullptr) {
    fields.Fault("endpoint", "asks a model, and none talks here",
                 "start the service with --chat-model");
  }
  if (fields.Text("completion_window", kNameBytesMax) != "24h") {
    fields.Fault("completion_window", "is none that is known", "there is: 24h");
  }
  batch.metadata = ReadMetadata(fields);
  if (std::optional<Problem> problem = fields.End()) {
    return std::unexpected(std::move(*problem));
  }
  return batch;
}

OrProblem<Response> Create(const RouteContext& context, const Request& request) {
  const OrProblem<BatchStore*> batches = BatchesOf(context);
  OrProblem<moderation::NewBatch> asked =
      batches ? ReadBatchQuestion(context, request) : std::unexpected(batches.error());
  if (!asked) {
    return std::unexpected(asked.error());
  }
  const auto file = context.parts.files->Find(asked->owner, asked->input_file);
  if (!file || file->purpose != "batch") {
    return std::unexpected(file || file.error().code == ErrorCode::kNotFound
                               ? Problem{404, "unknown-file",
                                         "there is no such file of purpose batch",
                                         "send it first: POST /v1/files", "/input_file_id"}
                               : FileProblem(file.error()));
  }
  asked->expires = context.parts.now() + kWindowMs;
  const Result<Batch> begun = (*batches)->Begin(*asked, context.parts.now());
  return begun ? OrProblem<Response>(JsonResponse(200, BatchJson(*begun)))
               : std::unexpected(BatchProblem(begun.error()));
}

OrProblem<Response> Show(const RouteContext& context, const Request& request) {
  const OrProblem<BatchStore*> batches = BatchesOf(context);
  if (!batches) {
    return std::unexpected(batches.error());
  }
  const Result<Batch> batch = (*batches)->Find(request.caller_id, request.values.at("id"));
  return batch ? OrProblem<Response>(JsonResponse(200, BatchJson(*batch)))
               : std::unexpected(BatchProblem(batch.error()));
}

OrProblem<Response> Cancel(const RouteContext& context, const Request& request) {
  const OrProblem<BatchStore*> batches = BatchesOf(context);
  if (!batches) {
    return std::unexpected(batches.error());
  }
  const Result<Batch> batch =
      (*batches)->Cancel(request.caller_id, request.values.at("id"), context.parts.now());
  return batch ? OrProblem<Response>(JsonResponse(200, BatchJson(*batch)))
               : std::unexpected(BatchProblem(batch.error()));
}

OrProblem<Response> List(const RouteContext& context, const Request& request) {
  const OrProblem<BatchStore*> batches = BatchesOf(context);
  const auto query =
      batches ? ReadQuery(request.query, {"limit", "after"}) : std::unexpected(batches.error());
  const OrProblem<std::size_t> size =
      query ? PageSize(*query, 100, 20) : std::unexpected(query.error());
  if (!size) {
    return std::unexpected(size.error());
  }
  const auto after = query->find("after");
  Result<std::vector<Batch>> page =
      (*batches)->List({.owner = request.caller_id,
                        .after = after == query->end() ? "" : after->second,
                        .limit = *size + 1});
  if (!page) {
    return std::unexpected(BatchProblem(page.error()));
  }
  const bool more = page->size() > *size;
  page->resize(page->size() - (more ? 1 : 0));
  Json data = Json::array();
  for (const Batch& batch : *page) {
    data.push_back(BatchJson(batch));
  }
  Json first = IdJson(page->empty() ? "" : page->front().id);
  Json last = IdJson(page->empty() ? "" : page->back().id);
  return JsonResponse(200, {{"object", "list"},
                            {"data", std::move(data)},
                            {"first_id", std::move(first)},
                            {"last_id", std::move(last)},
                            {"has_more", more}});
}

}  // namespace

std::vector<Route> BatchRoutes(const RouteContext& context) {
  Route create = OpenAiDiskRoute(context, "POST", "/v1/batches", Create);
  create.idempotent = true;
  return {std::move(create), OpenAiDiskRoute(context, "GET", "/v1/batches", List),
          OpenAiDiskRoute(context, "GET", "/v1/batches/{id}", Show),
          OpenAiDiskRoute(context, "POST", "/v1/batches/{id}/cancel", Cancel)};
}

}  // namespace safeguard::http
