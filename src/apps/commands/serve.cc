// `safeguard serve`: the object graph of the service, and its life from start to drain.
#include "apps/commands/serve.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <mutex>
#include <sstream>
#include <thread>
#include <utility>

#include "apps/calibration/find_calibration.h"
#include "apps/commands/commands.h"
#include "apps/commands/judging.h"
#include "apps/input/data_folder.h"
#include "apps/input/embedded_pack.h"
#include "apps/input/key_file.h"
#include "apps/input/policy_catalog.h"
#include "base/random_bytes.h"
#include "base/utc_time.h"
#include "eval/golden_set.h"
#include "http/server.h"
#include "http/service.h"
#include "moderation/calibrated_judge.h"
#include "storage/stores.h"

namespace safeguard::apps {
namespace {

constexpr std::chrono::milliseconds kLook{100};  // for a signal
constexpr int kLooksPerKeyCheck = 10;

// Null pointers where nothing is kept.
struct Kept {
  std::string folder;
  std::unique_ptr<moderation::PolicyStore> policies;
  std::unique_ptr<moderation::VerdictLog> verdicts;
};

Result<Kept> OpenKept(const std::string& flag) {
  Kept kept;
  kept.folder = NamedDataFolder(flag);
  if (kept.folder.empty()) {
    return kept;
  }
  Result<std::unique_ptr<moderation::PolicyStore>> policies =
      storage::OpenPolicyStore(kept.folder, {.create = true});
  if (!policies) {
    return std::unexpected(policies.error());
  }
  Result<std::unique_ptr<moderation::VerdictLog>> verdicts =
      storage::OpenVerdictLog(kept.folder, {.create = true});
  if (!verdicts) {
    return std::unexpected(verdicts.error());
  }
  kept.policies = std::move(*policies);
  kept.verdicts = std::move(*verdicts);
  return kept;
}

Status AddShipped(std::span<const EmbeddedFile> files, const std::string& pack,
                  std::vector<http::ShippedPolicy>& shipped) {
  const PolicyCatalog catalog(files);
  for (const std::string& name : catalog.names()) {
    const Result<PolicyCatalog::Source> source = catalog.Read(name, "", Golden::kRead);
    if (!source) {
      return std::unexpected(source.error());
    }
    Result<moderation::Policy> policy = moderation::ReadPolicy(source->policy, source->fallback_id);
    if (!policy) {
      return std::unexpected(policy.error());
    }
    std::istringstream in(source->golden);
    Result<std::vector<moderation::GoldenCase>> golden =
        source->golden.empty() ? std::vector<moderation::GoldenCase>()
                               : eval::ReadGoldenSet(in, source->golden_origin);
    if (!golden) {
      return std::unexpected(golden.error());
    }
    shipped.push_back({std::move(*policy), source->policy, std::move(*golden), pack});
  }
  return {};
}

Result<std::vector<http::ShippedPolicy>> LoadShipped(Services& services) {
  std::vector<http::ShippedPolicy> shipped;
  Status added = AddShipped(services.shipped_policies(), "", shipped);
  if (added) {
    added = AddShipped(EmbeddedPackFiles(), "openai", shipped);
  }
  return added ? Result<std::vector<http::ShippedPolicy>>(std::move(shipped))
               : std::unexpected(added.error());
}

Result<std::vector<moderation::GoldenCase>> ReadGolden(std::string_view bytes,
                                                       const std::string& name) {
  std::istringstream in{std::string(bytes)};
  return eval::ReadGoldenSet(in, name);
}

// Under a stored version with the calibration that is kept with it, as `classify` judges.
std::unique_ptr<moderation::Judge> WithStoredCalibrations(std::unique_ptr<moderation::Judge> judge,
                                                          const Kept& kept,
                                                          const JudgeChoice& choice,
                                                          Services& services, Console& console) {
  if (kept.policies == nullptr) {
    return judge;
  }
  return std::make_unique<moderation::CalibratedJudge>(
      std::move(judge),
      [&kept, choice, &services, &console](
          const moderation::Policy& policy) -> Result<std::optional<moderation::ScoreCalibration>> {
        const auto info = kept.policies->Find(policy.id, policy.version);
        if (!info || info->hash != policy.hash) {
          return std::nullopt;  // it ships with the program
        }
        const auto version = moderation::ReadLiveVersion(*kept.policies, *info);
        Result<LoadedPolicy> loaded =
            version ? LoadStored(**version, "", Golden::kRead) : std::unexpected(version.error());
        if (!loaded) {
          return std::unexpected(loaded.error());
        }
        loaded->stored = *info;
        const Result<Calibrations> found =
            FindCalibrations({}, {*loaded}, kept.folder, choice, services, console);
        if (!found) {
          return std::unexpected(found.error());
        }
        const auto place = found->find(policy.hash);
        return place == found->end() ? std::nullopt : std::optional(place->second);
      });
}

// Reads the keys again when their file is another one. A file that cannot be read changes nothing
// but is told: the keys that were good go on.
class KeyWatch {
 public:
  KeyWatch(std::string folder, http::KeyRing& ring) : folder_(std::move(folder)), ring_(ring) {}

  Status Look() {
    if (folder_.empty()) {
      return {};
    }
    std::error_code missing;
    const auto time = std::filesystem::last_write_time(KeyFilePath(folder_), missing);
    if (missing ? !there_ : there_ && time == time_) {
      return {};
    }
    Result<std::vector<http::ApiKey>> keys = LoadKeys(folder_);
    there_ = !missing;
    time_ = time;
    if (!keys) {
      return std::unexpected(keys.error());
    }
    ring_.Set(std::move(*keys));
    return {};
  }

 private:
  std::string folder_;
  http::KeyRing& ring_;
  bool there_ = false;
  std::filesystem::file_time_type time_{};
};

Status CheckReach(const ServeArguments& arguments, const http::KeyRing& keys) {
  if (http::IsLoopback(arguments.host) || keys.size() > 0) {
    return {};
  }
  return Fail(ErrorCode::kInvalidInput,
              "a server that other machines reach needs keys, and there are none",
              "make one: safeguard key new NAME --scope admin --data-dir DIR, and serve with this "
              "--data-dir; or stay on 127.0.0.1");
}

http::ServerOptions ServerOptionsOf(const ServeArguments& arguments) {
  http::ServerOptions options;
  options.host = arguments.host;
  options.port = static_cast<std::uint16_t>(arguments.port);
  options.connections_max = arguments.connections;
  options.body_bytes_max = std::uint64_t{arguments.body_kib} << 10U;
  options.drain_time = std::chrono::seconds(arguments.drain_s);
  return options;
}

std::string Address(const std::string& host, std::uint16_t port) {
  return host.find(':') == std::string::npos ? fmt::format("http://{}:{}", host, port)
                                             : fmt::format("http://[{}]:{}", host, port);
}

void WaitForStop(KeyWatch& keys, http::Service& service, const std::atomic<bool>& stop) {
  for (int look = 1; !stop.load(); ++look) {
    std::this_thread::sleep_for(kLook);
    if (look % kLooksPerKeyCheck == 0) {
      const Status looked = keys.Look();
      if (!looked) {
        service.Log("keys-unreadable", Describe(looked.error()));
      }
    }
  }
}

}  // namespace

ExitCode RunServe(const ServeArguments& arguments, Services& services, Console& console,
                  const std::atomic<bool>& stop) {
  const Status usage = CheckJudge(arguments.judge);
  if (!usage) {
    return Fails(console, usage.error(), ExitCode::kUsage);
  }
  Result<Kept> kept = OpenKept(arguments.data_dir);
  if (!kept) {
    return Fails(console, kept.error(), ExitCode::kCannotRun);
  }
  http::KeyRing keys;
  KeyWatch key_watch(kept->folder, keys);
  const Status loaded = key_watch.Look();
  const Status reach = loaded ? CheckReach(arguments, keys) : loaded;
  if (!reach) {
    return Fails(console, reach.error(), loaded ? ExitCode::kUsage : ExitCode::kCannotRun);
  }
  const Result<std::vector<http::ShippedPolicy>> shipped = LoadShipped(services);
  if (!shipped) {
    return Fails(console, shipped.error(), ExitCode::kCannotRun);
  }
  Result<std::unique_ptr<moderation::Judge>> judge = services.OpenJudge(arguments.judge);
  if (!judge) {
    return Fails(console, judge.error(), ExitCode::kCannotRun);
  }
  judge = WithStoredCalibrations(std::move(*judge), *kept, arguments.judge, services, console);
  http::Metrics metrics;
  http::PolicyShelf shelf(**judge, *shipped, kept->policies.get(), ReadGolden);
  http::Judging judging({**judge, shelf, kept->verdicts.get(), metrics, UtcNow},
                        {.workers = arguments.workers,
                         .queue_contents_max = arguments.queue,
                         .keep_content = arguments.record_content});
  std::mutex line_mutex;
  http::Service service({judging, shelf, kept->policies.get(), kept->verdicts.get(), keys, metrics,
                         ReadGolden, UtcNow, RandomBytes,
                         [&](std::string_view line) {
                           const std::lock_guard lock(line_mutex);
                           console.Error(std::string(line) + "\n");
                         }},
                        {.keys_required = !http::IsLoopback(arguments.host),
                         .timeout = std::chrono::milliseconds(arguments.timeout_ms),
                         .model = "safeguard-" + arguments.judge.judge});
  Result<std::unique_ptr<http::Server>> server = http::Server::Start(
      ServerOptionsOf(arguments), [&](std::shared_ptr<http::Request> request, http::Reply reply) {
        service.Handle(std::move(request), std::move(reply));
      });
  if (!server) {
    return Fails(console, server.error(), ExitCode::kCannotRun);
  }
  metrics.SetGauge("safeguard_http_connections", "Connections that are open",
                   [&] { return static_cast<double>((*server)->connections()); });
  console.Out("Listening on " + Address(arguments.host, (*server)->port()) +
              (kept->folder.empty() ? "; nothing is kept without --data-dir" : "") + "\n");
  const Status warm = shelf.Warm();
  if (warm) {
    service.SetReady(true);
    service.Log("ready", "judge " + arguments.judge.judge);
    WaitForStop(key_watch, service, stop);
  }
  service.SetReady(false);
  const bool drained = (*server)->Drain();
  judging.Stop();
  service.Stop();
  service.Log("stopped", drained ? "every request was answered" : "some connections were cut off");
  server->reset();  // its answers hold it, so it goes after who gives them
  return warm ? ExitCode::kSafe : Fails(console, warm.error(), ExitCode::kCannotRun);
}

}  // namespace safeguard::apps
