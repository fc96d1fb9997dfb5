#include "apps/pull/http_failure.h"

#include <algorithm>
#include <ctime>
#include <string_view>
#include <utility>

#include "apps/pull/http_fields.h"

namespace safeguard::apps::pull {
namespace {

constexpr const char* kGoOn = "run the same command again: it goes on where it stopped";

Failure Final(ErrorCode code, std::string message, std::string hint) {
  return {{code, std::move(message), std::move(hint)}, false, {}};
}

Failure Again(std::string message, std::string hint = kGoOn) {
  return {{ErrorCode::kUnavailable, std::move(message), std::move(hint)}, true, {}};
}

Failure TransportFailure(const HttpResult& result, const Asked& asked) {
  const std::string from = asked.what + " from " + result.host;
  switch (result.end) {
    case HttpEnd::kUnreachable:
      return Again("cannot reach " + result.host + ": " + result.detail,
                   "check the network, proxy settings and HF_ENDPOINT, then run the same command "
                   "again");
    case HttpEnd::kUntrusted:
      return Final(ErrorCode::kUnavailable,
                   "the certificate of " + result.host + " is not trusted: " + result.detail,
                   "behind a company's proxy, name its certificates in SSL_CERT_FILE");
    case HttpEnd::kStalled:
      return Again("the transfer of " + from + " stalled");
    case HttpEnd::kBadRedirect:
      return Final(ErrorCode::kUnavailable, "cannot fetch " + from + ": " + result.detail,
                   "check HF_ENDPOINT");
    case HttpEnd::kCut:
    case HttpEnd::kComplete:
    case HttpEnd::kRefused:
      break;
  }
  return Again("the connection broke during " + from + ": " + result.detail);
}

Failure GatedFailure(const Asked& asked) {
  const std::string where = asked.page.empty() ? "on its page" : "at " + asked.page;
  return Final(ErrorCode::kUnavailable, asked.what + " is gated: its licence must be accepted",
               asked.token_known
                   ? "accept it " + where +
                         " with the account that HF_TOKEN belongs to, then run "
                         "the same command again"
                   : "accept it " + where + ", then set HF_TOKEN to that account's access token");
}

Failure UnauthorizedFailure(const HttpResult& result, const Asked& asked) {
  if (result.head.Field("x-error-code") == "RepoNotFound" && asked.token_known) {
    return Final(ErrorCode::kNotFound, asked.what + " is not on " + result.host,
                 "check the name, and that the account of HF_TOKEN may see it");
  }
  if (result.token_sent) {
    return Final(ErrorCode::kUnavailable,
                 result.host + " does not accept the token in HF_TOKEN (401) for " + asked.what,
                 "set HF_TOKEN to a valid access token");
  }
  if (asked.token_known) {
    return Final(ErrorCode::kUnavailable,
                 result.host + " wants a login (401) for " + asked.what +
                     ", and HF_TOKEN is for another host",
                 "set HF_ENDPOINT to the endpoint that the token belongs to");
  }
  return Final(
      ErrorCode::kUnavailable,
      result.host + " wants a login (401) for " + asked.what + ", or there is no such name",
      "check the name; for what is private or gated set HF_TOKEN to an access token");
}

Failure MissingFailure(const HttpResult& result, const Asked& asked) {
  const std::string code = result.head.Field("x-error-code");
  const std::string hint = code == "RevisionNotFound" ? "check the revision"
                           : code == "EntryNotFound"  ? "check the file's name"
                                                      : "check the name and the revision";
  return Final(ErrorCode::kNotFound, asked.what + " is not on " + result.host + " (404)", hint);
}

Failure BusyFailure(const HttpResult& result, const Asked& asked) {
  const int status = result.head.status;
  Failure failure = Again(
      result.host +
          (status == 429 ? " limits how often it may be asked (429)"
                         : " cannot serve just now (" + std::to_string(status) + ")") +
          ", for " + asked.what,
      status == 429 && !asked.token_known
          ? "run the same command later: it goes on where it stopped; with HF_TOKEN set the limit "
            "may be higher"
          : "run the same command later: it goes on where it stopped");
  failure.wait = ParseRetryAfter(result.head.Field("retry-after"), std::time(nullptr));
  return failure;
}

}  // namespace

Failure FailureOf(const HttpResult& result, const Asked& asked) {
  const int status = result.head.status;
  const bool answered =
      status != 0 && (result.end == HttpEnd::kComplete || result.end == HttpEnd::kRefused);
  if (!answered) {
    return TransportFailure(result, asked);
  }
  if ((status == 401 || status == 403) && result.head.Field("x-error-code") == "GatedRepo") {
    return GatedFailure(asked);
  }
  switch (status) {
    case 401:
      return UnauthorizedFailure(result, asked);
    case 403:
      if (asked.page.empty()) {
        return Final(ErrorCode::kUnavailable, result.host + " refuses " + asked.what + " (403)",
                     "check that the address is right and still valid");
      }
      return Final(ErrorCode::kUnavailable,
                   result.host + " refuses " + asked.what + " (403): it may be gated",
                   "accept its licence at " + asked.page +
                       (asked.token_known ? " with the account that HF_TOKEN belongs to"
                                          : " and set HF_TOKEN to that account's access token"));
    case 404:
    case 410:
      return MissingFailure(result, asked);
    case 408:
    case 425:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      return BusyFailure(result, asked);
    default:
      return Final(
          ErrorCode::kUnavailable,
          result.host + " answers with status " + std::to_string(status) + " for " + asked.what,
          "check the name and HF_ENDPOINT");
  }
}

Result<std::chrono::milliseconds> WaitAfter(const Failure& failure, int failures,
                                            const Timing& timing) {
  Error error = failure.error;
  if (!failure.retry) {
    return std::unexpected(std::move(error));
  }
  if (failure.wait && *failure.wait > timing.wait_longest) {
    error.message += ", and asks to wait " + std::to_string(failure.wait->count()) + " s";
    return std::unexpected(std::move(error));
  }
  if (failures >= timing.tries) {
    error.message += ", " + std::to_string(failures) + " times in a row";
    return std::unexpected(std::move(error));
  }
  if (failure.wait) {
    return std::max<std::chrono::milliseconds>(*failure.wait, timing.backoff_first);
  }
  const int doublings = std::clamp(failures - 1, 0, 20);
  return std::min(timing.backoff_longest, timing.backoff_first * (std::int64_t{1} << doublings));
}

}  // namespace safeguard::apps::pull
