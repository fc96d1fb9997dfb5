#include "apps/route/route_stores.h"

#include <chrono>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "apps/input/data_folder.h"
#include "apps/route/policy_channels.h"
#include "apps/route/system_time.h"
#include "base/utc_time.h"
#include "moderation/judgement_job.h"
#include "moderation/review_queue.h"
#include "storage/shared_bucket.h"
#include "storage/stores.h"

namespace safeguard::apps {
namespace {

// A ledger is written now and then by requests: they do not wait for one another's disk.
constexpr std::chrono::milliseconds kLedgerWait{50};

std::string AbsolutePath(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path absolute = std::filesystem::absolute(path, failed);
  return failed ? path : absolute.lexically_normal().string();
}

// Null where no policy follows the store. In a server those that ship with the program do too: they
// are what answers while nobody has published one of that name.
Result<std::shared_ptr<PolicyChannels>> OpenChannels(const LoadedRoute& route, bool served,
                                                     const std::string& folder) {
  std::set<std::string> followed;
  for (const LoadedPolicy& loaded : route.policies) {
    if (loaded.routed || (served && loaded.origin == kShippedOrigin)) {
      followed.insert(loaded.policy.id);
    }
  }
  if (followed.empty()) {
    return nullptr;
  }
  auto store = storage::OpenPolicyStore(folder, {});
  if (!store) {
    return std::unexpected(store.error());
  }
  return std::make_shared<PolicyChannels>(std::move(*store), std::move(followed));
}

Result<std::shared_ptr<moderation::DeferredWork>> OpenDeferred(const LoadedRoute& route,
                                                               const RouteRequest& request) {
  if (request.finishing || request.measuring || !moderation::PutsOff(route.file.settings)) {
    return nullptr;
  }
  const Result<std::string> folder = DataFolder(request.data_dir);
  if (!folder) {
    return std::unexpected(folder.error());
  }
  auto opened = storage::OpenJobQueue(*folder, {}, {.create = true});
  if (!opened) {
    return std::unexpected(opened.error());
  }
  const std::shared_ptr<moderation::JobQueue> queue = std::move(*opened);
  // What is in no store travels with its job, so that it is judged under the very text of now.
  std::map<std::string, std::string> texts;
  for (const LoadedPolicy& loaded : route.policies) {
    if (!loaded.stored) {
      texts[loaded.policy.hash] = loaded.bytes;
    }
  }
  moderation::QueuedWorkOptions options;
  options.now = UtcNow;
  options.text_of = [texts](const moderation::PolicyReference& policy) {
    const auto text = texts.find(policy.hash);
    return text == texts.end() ? std::string() : text->second;
  };
  options.route_file = AbsolutePath(request.path);
  options.keep_content = request.keep_content;
  Result<std::shared_ptr<PolicyChannels>> channels = OpenChannels(route, request.served, *folder);
  if (!channels) {
    return std::unexpected(channels.error());
  }
  if (*channels != nullptr) {
    options.channel_of = [channels = *channels,
                          texts = std::move(texts)](const moderation::PolicyReference& policy) {
      return texts.contains(policy.hash) ? moderation::Channel::kDirect : channels->Of(policy);
    };
  }
  std::unique_ptr<moderation::DeferredWork> work =
      moderation::QueuedWork(*queue, std::move(options));
  return std::shared_ptr<moderation::DeferredWork>(
      work.release(), [queue](moderation::DeferredWork* held) { delete held; });
}

Result<std::shared_ptr<moderation::ReviewSink>> OpenReviews(const LoadedRoute& route,
                                                            const RouteRequest& request) {
  const moderation::RouteSettings& settings = route.file.settings;
  if (request.measuring || !(settings.review_undetermined || settings.review_violations)) {
    return nullptr;
  }
  const Result<std::string> folder = DataFolder(request.data_dir);
  if (!folder) {
    return std::unexpected(folder.error());
  }
  auto opened = storage::OpenReviewQueue(*folder, {}, {.create = true});
  if (!opened) {
    return std::unexpected(opened.error());
  }
  const std::shared_ptr<moderation::ReviewQueue> queue = std::move(*opened);
  return std::shared_ptr<moderation::ReviewSink>(
      moderation::ReviewsInto(*queue, UtcNow).release(),
      [queue](moderation::ReviewSink* held) { delete held; });
}

Result<std::shared_ptr<moderation::AuditLedger>> OpenLedger(const LoadedRoute& route,
                                                            const RouteRequest& request) {
  const moderation::RouteSettings& settings = route.file.settings;
  if (request.measuring || settings.reasoners.empty() ||
      (settings.audit.safe_share <= 0 && settings.audit.violation_share <= 0)) {
    return nullptr;
  }
  const Result<std::string> folder = DataFolder(request.data_dir);
  if (!folder) {
    return request.finishing || moderation::PutsOff(settings)
               ? Result<std::shared_ptr<moderation::AuditLedger>>(std::unexpected(folder.error()))
               : nullptr;
  }
  auto opened = storage::OpenAuditLedger(
      *folder, settings.name,
      {.create = request.finishing || moderation::PutsOff(settings), .busy_timeout = kLedgerWait});
  if (!opened && opened.error().code == ErrorCode::kNotFound) {
    return nullptr;
  }
  return opened ? Result<std::shared_ptr<moderation::AuditLedger>>(std::move(*opened))
                : std::unexpected(opened.error());
}

Result<std::shared_ptr<moderation::SharedBucket>> OpenBucket(const LoadedRoute& route,
                                                             const RouteRequest& request) {
  const moderation::ComputeBudget& budget = route.file.settings.governor.budget;
  const bool limited = budget.tokens_per_second || budget.share || budget.money_per_day;
  if (request.measuring || !limited) {
    return nullptr;
  }
  const Result<std::string> folder = DataFolder(request.data_dir);
  if (!folder) {
    return std::unexpected(folder.error());
  }
  auto opened = storage::OpenSharedBucket(*folder, route.file.settings.name, {});
  return opened ? Result<std::shared_ptr<moderation::SharedBucket>>(std::move(*opened))
                : std::unexpected(opened.error());
}

}  // namespace

Status OpenKept(const LoadedRoute& route, const RouteRequest& request,
                moderation::CascadeParts& parts) {
  auto deferred = OpenDeferred(route, request);
  if (!deferred) {
    return std::unexpected(deferred.error());
  }
  auto reviews = OpenReviews(route, request);
  if (!reviews) {
    return std::unexpected(reviews.error());
  }
  auto ledger = OpenLedger(route, request);
  if (!ledger) {
    return std::unexpected(ledger.error());
  }
  auto bucket = OpenBucket(route, request);
  if (!bucket) {
    return std::unexpected(bucket.error());
  }
  parts.deferred = std::move(*deferred);
  parts.review = std::move(*reviews);
  parts.ledger = std::move(*ledger);
  parts.calendar = CalendarClock();
  parts.bucket = std::move(*bucket);
  return {};
}

}  // namespace safeguard::apps
