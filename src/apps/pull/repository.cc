#include "apps/pull/repository.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "apps/pull/http_fields.h"
#include "apps/pull/remote_list.h"
#include "apps/pull/url.h"

namespace safeguard::apps::pull {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kPagesMax = 200;

// The body of a good answer, up to a limit; of a range request the head alone.
class Reader final : public HttpReceiver {
 public:
  explicit Reader(bool head_only) : head_only_(head_only) {}
  bool OnHead(const HttpHead& head) override {
    return !head_only_ && head.status == 200 && head.content_length.value_or(0) <= kListBytesMax;
  }
  bool OnBody(std::string_view bytes) override {
    body.append(bytes);
    return body.size() <= kListBytesMax;
  }

  std::string body;

 private:
  bool head_only_;
};

bool IsGood(const HttpResult& result, bool head_only) {
  if (head_only) {
    const bool ended = result.end == HttpEnd::kRefused || result.end == HttpEnd::kComplete;
    return ended && (result.head.status == 200 || result.head.status == 206);
  }
  return result.end == HttpEnd::kComplete && result.head.status == 200;
}

}  // namespace

std::string VersionOf(const HttpHead& head) {
  std::string etag = head.Field("etag");
  if (etag.starts_with('"')) {
    return etag;
  }
  const std::string date = head.Field("last-modified");
  return date.empty() ? "" : "last-modified " + date;
}

Repository::Repository(HttpClient& client, const PullSource& source, const Timing& timing,
                       PullObserver& observer, const std::atomic<bool>& stop)
    : client_(client), source_(source), timing_(timing), observer_(observer), stop_(stop) {}

Status Repository::Pause(std::chrono::milliseconds wait, const Error& reason) {
  const Clock::time_point end = Clock::now() + wait;
  while (Clock::now() < end && !stop_.load()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    PullPosition position;
    position.doing = "waiting " + std::to_string(left.count() / 1000 + 1) + " s: " + reason.message;
    observer_.Progress(position);
    client_.Poll(std::clamp(left, std::chrono::milliseconds(1), timing_.poll));
  }
  if (stop_.load()) {
    return Fail(ErrorCode::kUnavailable, "stopped");
  }
  return {};
}

Result<Repository::Answer> Repository::Get(const HttpRequest& request, const Asked& asked) {
  for (int failures = 1;; ++failures) {
    Reader reader(request.range.has_value());
    const TransferId id = client_.Start(request, reader);
    std::vector<std::pair<TransferId, HttpResult>> ended;
    while (ended.empty() && !stop_.load()) {
      PullPosition position;
      position.doing = "asking for " + asked.what;
      observer_.Progress(position);
      ended = client_.Poll(timing_.poll);
    }
    if (ended.empty()) {
      client_.Cancel(id);
      return Fail(ErrorCode::kUnavailable, "stopped");
    }
    const HttpResult& result = ended.front().second;
    if (IsGood(result, request.range.has_value())) {
      return Answer{result.head, std::move(reader.body)};
    }
    if (result.end == HttpEnd::kRefused && result.head.status == 200) {
      return Fail(ErrorCode::kLimit, result.host + " sends too long a list for " + asked.what,
                  "check HF_ENDPOINT");
    }
    Failure failure = FailureOf(result, asked);
    // What was never reached is more likely mistyped or offline than busy.
    failure.retry = failure.retry && (client_.reached() || result.end != HttpEnd::kUnreachable);
    const auto wait = WaitAfter(failure, failures, timing_);
    if (!wait) {
      return std::unexpected(wait.error());
    }
    const Status paused = Pause(*wait, failure.error);
    if (!paused) {
      return std::unexpected(paused.error());
    }
  }
}

// An endpoint that has no such page is asked for its list all the same: empty.
Result<std::string> Repository::FindCommit() {
  if (IsCommit(source_.revision)) {
    return source_.revision;
  }
  HttpRequest request;
  request.url = source_.endpoint + "/api/models/" + source_.repository + "/revision/" +
                EscapeSegment(source_.revision);
  request.accept = "application/json";
  const Asked asked{"the repository " + source_.repository, source_.Page(), client_.has_token()};
  const Result<Answer> answer = Get(request, asked);
  if (!answer) {
    if (answer.error().code == ErrorCode::kNotFound) {
      return std::string();
    }
    return std::unexpected(answer.error());
  }
  return CommitOf(answer->body);
}

Result<Listing> Repository::List() {
  Result<std::string> commit = FindCommit();
  if (!commit) {
    return std::unexpected(commit.error());
  }
  Listing listing;
  listing.commit = std::move(*commit);
  const std::string revision = listing.commit.empty() ? source_.revision : listing.commit;
  const Asked asked{"the repository " + source_.repository + " at revision " + source_.revision,
                    source_.Page(), client_.has_token()};
  HttpRequest request;
  request.url = source_.endpoint + "/api/models/" + source_.repository + "/tree/" +
                EscapeSegment(revision) + "?recursive=true";
  request.accept = "application/json";
  const Result<Url> first = ParseUrl(request.url);
  if (!first) {
    return std::unexpected(first.error());
  }
  std::set<std::string> seen;
  while (true) {
    if (!seen.insert(request.url).second || seen.size() > kPagesMax) {
      return Fail(ErrorCode::kLimit, "the list of " + asked.what + " does not end",
                  "check HF_ENDPOINT");
    }
    const Result<Answer> page = Get(request, asked);
    if (!page) {
      return std::unexpected(page.error());
    }
    const Status read = AppendListPage(page->body, listing.files);
    if (!read) {
      return std::unexpected(read.error());
    }
    const std::optional<std::string> next = ParseNextLink(page->head.Field("link"));
    if (!next) {
      return listing;
    }
    const Result<Url> url = ResolveUrl(request.url, *next);
    if (!url || url->Origin() != first->Origin()) {
      return Fail(ErrorCode::kCorruptFile, "the list of " + asked.what + " goes on elsewhere",
                  "check HF_ENDPOINT");
    }
    request.url = url->text;
  }
}

Result<RemoteFile> Repository::Probe() {
  RemoteFile file;
  file.path = source_.file;
  HttpRequest request;
  request.url = source_.url;
  request.range = ByteRange{0, 1};
  const Result<Answer> answer = Get(request, AskedFor(file));
  if (!answer) {
    return std::unexpected(answer.error());
  }
  const HttpHead& head = answer->head;
  const auto range = ParseContentRange(head.Field("content-range"));
  const std::optional<std::uint64_t> size = head.status == 200 ? head.content_length
                                            : range            ? range->total
                                                               : std::nullopt;
  if (!size) {
    return Fail(ErrorCode::kUnavailable, "the server does not say how long " + source_.url + " is",
                "pull it from a repository, or fetch it by other means");
  }
  if (*size > kFileBytesMax) {
    return Fail(ErrorCode::kLimit, source_.url + " is longer than any model", "check the address");
  }
  file.size = *size;
  file.etag = VersionOf(head);
  return file;
}

std::string Repository::FileUrl(const Listing& listing, const RemoteFile& file) const {
  if (source_.repository.empty()) {
    return source_.url;
  }
  const std::string revision = listing.commit.empty() ? source_.revision : listing.commit;
  return source_.endpoint + "/" + source_.repository + "/resolve/" + EscapeSegment(revision) + "/" +
         EscapePath(file.path);
}

Asked Repository::AskedFor(const RemoteFile& file) const {
  const std::string of = source_.repository.empty() ? "" : " of " + source_.repository;
  return {file.path + of, source_.Page(), client_.has_token()};
}

}  // namespace safeguard::apps::pull
