// /v1/verdicts: what was decided, by pages for people and as lines for machines.
#include <charconv>
#include <cstdint>
#include <string>
#include <utility>

#include "base/utc_time.h"
#include "http/api/route_parts.h"
#include "http/domain_json.h"
#include "http/json_input.h"
#include "moderation/receipt.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kExportDefault = 1000;

struct Pages {
  std::size_t most;
  std::size_t otherwise;
};

OrProblem<moderation::VerdictQuery> VerdictQueryOf(const Request& request, Pages pages) {
  const auto query = ReadQuery(request.query, {"policy", "version", "channel", "outcome", "from",
                                               "until", "cursor", "limit"});
  const OrProblem<std::size_t> size =
      query ? PageSize(*query, pages.most, pages.otherwise) : std::unexpected(query.error());
  const OrProblem<std::int64_t> after = size ? PageCursor(*query) : std::unexpected(size.error());
  if (!after) {
    return std::unexpected(after.error());
  }
  moderation::VerdictQuery read;
  read.limit = *size;
  read.after = *after;
  const auto wrong = [](const std::string& name, std::string hint) {
    return std::unexpected(
        Problem{400, "invalid-request", "\"" + name + "\" cannot be read", std::move(hint), {}});
  };
  for (const auto& [name, value] : *query) {
    if (name == "policy") {
      read.policy_id = value;
    } else if (name == "version") {
      read.policy_version = value;
    } else if (name == "channel" && !(read.channel = moderation::ChannelFrom(value))) {
      return wrong(name, "there are: direct, active, canary, shadow");
    } else if (name == "outcome" && !(read.outcome = moderation::OutcomeFrom(value))) {
      return wrong(name, "there are: violation, safe, undetermined");
    } else if (name == "from" || name == "until") {
      const Result<std::int64_t> time = ParseUtc(value);
      if (!time) {
        return wrong(name, "give a time as in 2026-11-28T15:45:02Z");
      }
      (name == "from" ? read.from : read.until) = *time;
    }
  }
  return read;
}

Problem NoLog() {
  return {409, "no-store", "this server records no verdicts", "start it with --data-dir DIR", {}};
}

OrProblem<moderation::VerdictPage> PageOf(const RouteContext& context, const Request& request,
                                          Pages pages) {
  if (context.parts.log == nullptr) {
    return std::unexpected(NoLog());
  }
  const OrProblem<moderation::VerdictQuery> query = VerdictQueryOf(request, pages);
  if (!query) {
    return std::unexpected(query.error());
  }
  Result<moderation::VerdictPage> page = context.parts.log->Scan(*query);
  return page ? OrProblem<moderation::VerdictPage>(std::move(*page))
              : std::unexpected(ProblemOf(page.error()));
}

OrProblem<Response> Verdicts(const RouteContext& context, const Request& request) {
  const OrProblem<moderation::VerdictPage> page = PageOf(context, request, {200, 50});
  if (!page) {
    return std::unexpected(page.error());
  }
  Json data = Json::array();
  for (const moderation::VerdictRecord& record : page->records) {
    data.push_back(RecordJson(record));
  }
  return PageResponse(std::move(data), page->end ? 0 : page->next);
}

// One record a line. The cursor is given also at the end, so that whoever exports goes on from
// there another day.
OrProblem<Response> Export(const RouteContext& context, const Request& request) {
  const OrProblem<moderation::VerdictPage> page =
      PageOf(context, request, {moderation::kVerdictPageMax, kExportDefault});
  if (!page) {
    return std::unexpected(page.error());
  }
  Response response;
  response.content_type = "application/x-ndjson";
  for (const moderation::VerdictRecord& record : page->records) {
    response.body += JsonLine(RecordJson(record)) + "\n";
  }
  response.headers.push_back({"x-next-cursor", std::to_string(page->next)});
  response.headers.push_back({"x-end", page->end ? "true" : "false"});
  return response;
}

OrProblem<Response> Receipt(const RouteContext& context, const Request& request) {
  if (context.parts.log == nullptr) {
    return std::unexpected(NoLog());
  }
  const std::string& id = request.values.at("id");
  std::int64_t sequence = 0;
  const auto [end, failure] = std::from_chars(id.data(), id.data() + id.size(), sequence);
  const bool is_number = failure == std::errc() && end == id.data() + id.size() && sequence >= 1;
  const auto found = is_number ? moderation::FindVerdict(*context.parts.log, sequence)
                               : Result<std::optional<moderation::VerdictRecord>>();
  if (!found) {
    return std::unexpected(ProblemOf(found.error()));
  }
  if (!*found) {
    return std::unexpected(Problem{404,
                                   "no-such-verdict",
                                   "the log has no verdict \"" + id.substr(0, 32) + "\"",
                                   "GET /v1/verdicts shows the sequence of each",
                                   {}});
  }
  Result<std::string> receipt = moderation::SignedReceiptJson(**found, context.parts.sign_receipt);
  if (!receipt) {
    return std::unexpected(ProblemOf(receipt.error()));
  }
  Response response;
  response.body = std::move(*receipt);
  return response;
}

}  // namespace

std::vector<Route> VerdictRoutes(const RouteContext& context) {
  return {DiskRoute(context, "GET", "/v1/verdicts", Verdicts, Scope::kReview),
          DiskRoute(context, "GET", "/v1/verdicts/export", Export, Scope::kReview),
          DiskRoute(context, "GET", "/v1/verdicts/{id}/receipt", Receipt, Scope::kReview)};
}

}  // namespace safeguard::http
