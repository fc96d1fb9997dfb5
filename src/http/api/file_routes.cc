// OpenAI's /v1/files: the lines of a batch, and what came of them.
#include <algorithm>
#include <utility>

#include "http/api/file_body.h"
#include "http/api/file_json.h"
#include "http/api/route_parts.h"
#include "http/domain_json.h"
#include "http/json_fields.h"
#include "http/json_input.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;
using moderation::FileInfo;

constexpr std::size_t kListMax = 10'000;  // OpenAI's; a page here is never longer than the store's

OrProblem<Response> Upload(const RouteContext& context, const Request& request) {
  const auto files = FilesOf(context);
  std::map<std::string, std::string> fields = {{"purpose", ""}};
  const OrProblem<SentFile> sent =
      files ? ReadUpload(request, "batch", fields) : std::unexpected(files.error());
  if (!sent) {
    return std::unexpected(sent.error());
  }
  if (fields["purpose"] != "batch") {
    return std::unexpected(
        Problem{400, "invalid-request", "the form's \"purpose\" is none that is known",
                "there is: batch; labelled data go to /v1/datasets", "/purpose"});
  }
  const Result<FileInfo> added = (*files)->AddFrom(sent->file, sent->bytes, context.parts.now());
  return added ? OrProblem<Response>(JsonResponse(200, FileJson(*added)))
               : std::unexpected(FileProblem(added.error()));
}

OrProblem<Response> List(const RouteContext& context, const Request& request) {
  const auto files = FilesOf(context);
  const auto query = files ? ReadQuery(request.query, {"purpose", "limit", "after", "order"})
                           : std::unexpected(files.error());
  const OrProblem<std::size_t> size =
      query ? PageSize(*query, kListMax, 100) : std::unexpected(query.error());
  if (!size) {
    return std::unexpected(size.error());
  }
  const auto value = [&](const char* name) {
    const auto found = query->find(name);
    return found == query->end() ? std::string() : found->second;
  };
  if (const std::string order = value("order"); !order.empty() && order != "desc") {
    return std::unexpected(
        Problem{400, "invalid-request", "\"order\" is none that is known", "there is: desc", {}});
  }
  const moderation::FileQuery wanted{.owner = request.caller_id,
                                     .purpose = value("purpose"),
                                     .after = value("after"),
                                     .limit = std::min(*size, moderation::kFilePageMax - 1) + 1};
  Result<std::vector<FileInfo>> page = (*files)->List(wanted);
  if (!page) {
    return std::unexpected(FileProblem(page.error()));
  }
  const bool more = page->size() == wanted.limit;
  page->resize(page->size() - (more ? 1 : 0));
  Json data = Json::array();
  for (const FileInfo& file : *page) {
    data.push_back(FileJson(file));
  }
  Json first = page->empty() ? Json(nullptr) : Json(page->front().id);
  Json last = page->empty() ? Json(nullptr) : Json(page->back().id);
  return JsonResponse(200, {{"object", "list"},
                            {"data", std::move(data)},
                            {"first_id", std::move(first)},
                            {"last_id", std::move(last)},
                            {"has_more", more}});
}

OrProblem<Response> Show(const RouteContext& context, const Request& request) {
  const auto files = FilesOf(context);
  if (!files) {
    return std::unexpected(files.error());
  }
  const auto file = (*files)->Find(request.caller_id, request.values.at("id"));
  return file ? OrProblem<Response>(JsonResponse(200, FileJson(*file)))
              : std::unexpected(FileProblem(file.error()));
}

OrProblem<Response> Content(const RouteContext& context, const Request& request) {
  const auto files = FilesOf(context);
  if (!files) {
    return std::unexpected(files.error());
  }
  OrProblem<Response> response = FileBody(context, request.caller_id, request.values.at("id"));
  if (response) {
    response->content_type = "application/octet-stream";
  }
  return response;
}

OrProblem<Response> Remove(const RouteContext& context, const Request& request) {
  const auto files = FilesOf(context);
  if (!files) {
    return std::unexpected(files.error());
  }
  const std::string& id = request.values.at("id");
  const Status removed = (*files)->Remove(request.caller_id, id);
  return removed ? OrProblem<Response>(
                       JsonResponse(200, {{"id", id}, {"object", "file"}, {"deleted", true}}))
                 : std::unexpected(FileProblem(removed.error()));
}

}  // namespace

OrProblem<moderation::FileStore*> FilesOf(const RouteContext& context) {
  if (context.parts.files == nullptr) {
    return std::unexpected(
        Problem{409, "no-store", "this server keeps no files", "start it with --data-dir DIR", {}});
  }
  return context.parts.files;
}

Problem FileProblem(const Error& error) {
  Problem problem = ProblemOf(error);
  if (error.code == ErrorCode::kNotFound) {
    problem.code = "unknown-file";
  } else if (error.code == ErrorCode::kLimit) {
    problem.status = 413;
    problem.code = "too-large";
  }
  return problem;
}

OrProblem<SentFile> ReadUpload(const Request& request, const std::string& purpose,
                               std::map<std::string, std::string>& fields) {
  const moderation::ByteSource body = BodyOf(request);
  const OrProblem<std::vector<PlacedPart>> parts = FindParts(request.header("content-type"), body);
  if (!parts) {
    return std::unexpected(parts.error());
  }
  SentFile sent{{request.caller_id, purpose, {}, {}}, {}};
  for (const PlacedPart& part : *parts) {
    if (part.name == "file") {
      sent.file.name = part.file_name.empty() ? "file" : part.file_name;
      sent.bytes = PartOf(body, part.begin, part.size);
    } else if (const auto field = fields.find(part.name);
               field != fields.end() && part.size <= kFormFieldBytesMax) {
      Result<std::string> value = body.read(part.begin, part.size);
      if (!value) {
        return std::unexpected(ProblemOf(value.error()));
      }
      field->second = std::move(*value);
    } else {
      return std::unexpected(Problem{400,
                                     "invalid-request",
                                     "the form has a part that is not known, or a long one",
                                     "see /openapi.json for its fields",
                                     {}});
    }
  }
  if (sent.bytes.size == 0 || sent.bytes.size > moderation::kFileBytesMax) {
    return std::unexpected(Problem{400, "invalid-request",
                                   "the form has no part \"file\" of 1 byte to 100 MiB",
                                   "send it as curl -F file=@NAME does", "/file"});
  }
  return sent;
}

Json FileJson(const FileInfo& file) {
  return {{"id", file.id},         {"object", "file"},
          {"bytes", file.bytes},   {"created_at", file.created / 1000},
          {"filename", file.name}, {"purpose", file.purpose},
          {"status", "processed"}};
}

Route OpenAiDiskRoute(const RouteContext& context, const char* method, const char* pattern,
                      RouteFunction function) {
  Route route = DiskRoute(context, method, pattern, function, Scope::kJudge);
  route.openai = true;
  route.handler = [&context, function](const std::shared_ptr<Request>& request,
                                       const Reply& reply) {
    OrProblem<Response> response = function(context, *request);
    reply(response ? std::move(*response) : ProblemResponse(response.error(), request->id, true));
  };
  return route;
}

std::vector<Route> FileRoutes(const RouteContext& context) {
  Route upload = OpenAiDiskRoute(context, "POST", "/v1/files", Upload);
  upload.form = true;
  upload.idempotent = true;
  return {std::move(upload), OpenAiDiskRoute(context, "GET", "/v1/files", List),
          OpenAiDiskRoute(context, "GET", "/v1/files/{id}", Show),
          OpenAiDiskRoute(context, "GET", "/v1/files/{id}/content", Content),
          OpenAiDiskRoute(context, "DELETE", "/v1/files/{id}", Remove)};
}

}  // namespace safeguard::http
