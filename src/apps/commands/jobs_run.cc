// `safeguard jobs run`: one thread judges, some tell webhooks, until nothing is due or Ctrl-C.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "apps/commands/commands.h"
#include "apps/commands/job_policies.h"
#include "apps/commands/job_routes.h"
#include "apps/commands/judging.h"
#include "apps/input/data_folder.h"
#include "apps/output/display_text.h"
#include "apps/output/job_json.h"
#include "apps/output/verdict_json.h"
#include "apps/receipt/judge_setup.h"
#include "base/file.h"
#include "base/utc_time.h"
#include "http/webhook_sender.h"
#include "http/webhook_signature.h"
#include "moderation/job_workers.h"
#include "storage/audit_log.h"
#include "storage/stores.h"

namespace safeguard::apps {
namespace {

using moderation::JobEvent;
using moderation::JobQueue;
using moderation::JobStep;

constexpr std::size_t kSecretFileBytesMax = 65'536;
constexpr std::size_t kPrunedAtOnce = 10'000;
constexpr auto kPruneEvery = std::chrono::minutes(10);
constexpr auto kIdle = std::chrono::milliseconds(500);
constexpr int kStoreFailuresMax = 5;  // in a row; a daemon goes on

// What happens, told as it happens, by several threads.
class Teller {
 public:
  Teller(Console& console, bool json) : console_(console), json_(json) {}

  void Event(const JobEvent& event) {
    const std::lock_guard lock(mutex_);
    Count(event);
    if (json_) {
      nlohmann::ordered_json line = {
          {"event", ToString(event.step)}, {"job", event.job->id}, {"kind", event.job->what.kind}};
      if (!event.detail.empty()) {
        line["detail"] = event.detail;
      }
      if (event.retry_at != 0) {
        line["retry_at"] = UtcText(event.retry_at);
      }
      console_.Out(JsonLine(line) + "\n");
      return;
    }
    const std::string detail = Printable(event.detail);
    switch (event.step) {
      case JobStep::kFinished:
        console_.Out(event.job->id + " " + detail + "\n");
        break;
      case JobStep::kAcknowledged:
        console_.Out(event.job->what.parent + " told\n");
        break;
      case JobStep::kPutBack:
        console_.Out(
            fmt::format("{} again at {}: {}\n", event.job->id, UtcText(event.retry_at), detail));
        break;
      case JobStep::kReleased:
        if (event.retry_at != 0) {
          console_.Out(fmt::format("{} waits until {}: {}\n", event.job->id,
                                   UtcText(event.retry_at), detail));
        }
        break;
      case JobStep::kBuried:
        console_.Out(event.job->id + " given up: " + detail + "\n");
        break;
      default:
        break;
    }
  }

  // The same trouble is told once until it has gone.
  void Trouble(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (trouble_ != error.message) {
      trouble_ = error.message;
      ReportError(console_, error);
    }
  }
  void NoTrouble() {
    const std::lock_guard lock(mutex_);
    trouble_.clear();
  }

  [[nodiscard]] std::string Summary() const {
    return fmt::format("{} judged, {} told, {} put back, {} given up", judged_, told_, put_back_,
                       given_up_);
  }

 private:
  void Count(const JobEvent& event) {
    judged_ += event.step == JobStep::kFinished ? 1 : 0;
    told_ += event.step == JobStep::kAcknowledged ? 1 : 0;
    put_back_ += event.step == JobStep::kPutBack ? 1 : 0;
    given_up_ += event.step == JobStep::kBuried ? 1 : 0;
  }

  Console& console_;
  bool json_;
  std::mutex mutex_;
  std::string trouble_;
  std::size_t judged_ = 0;
  std::size_t told_ = 0;
  std::size_t put_back_ = 0;
  std::size_t given_up_ = 0;
};

// One worker's life.
class Loop {
 public:
  Loop(moderation::JobWorker& worker, Teller& teller, bool daemon, const std::atomic<bool>& stop)
      : worker_(worker), teller_(teller), daemon_(daemon), stop_(stop) {}

  // Until nothing is due and `more` says that nothing will come; then the store's last error, if
  // it would not let it work.
  Status Run(const std::function<bool()>& more) {
    int failures = 0;
    while (!stop_.load()) {
      const Result<std::size_t> worked = worker_.Work();
      if (!worked) {
        teller_.Trouble(worked.error());
        if (++failures >= kStoreFailuresMax && !daemon_) {
          return std::unexpected(worked.error());
        }
        Pause(kIdle * std::min(failures * failures, 60));
        continue;
      }
      failures = 0;
      teller_.NoTrouble();
      if (*worked > 0) {
        continue;
      }
      if (!daemon_ && !more()) {
        return {};
      }
      Pause(daemon_ ? kIdle : std::chrono::milliseconds(20));
    }
    return {};
  }

 private:
  void Pause(std::chrono::milliseconds length) const {
    const auto end = std::chrono::steady_clock::now() + length;
    while (!stop_.load() && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::min(length, std::chrono::milliseconds(50)));
    }
  }

  moderation::JobWorker& worker_;
  Teller& teller_;
  bool daemon_;
  const std::atomic<bool>& stop_;
};

Result<std::vector<std::string>> Secrets(const std::string& path) {
  const Result<std::string> text = ReadFile(path, kSecretFileBytesMax);
  return text ? http::ReadSecrets(*text) : std::unexpected(text.error());
}

// Null where there is no secret: nothing goes out unsigned.
Result<std::unique_ptr<moderation::MessageSender>> OpenSender(const JobsRunArguments& arguments) {
  if (!arguments.webhook.empty()) {
    if (const Status good = http::CheckWebhookUrl(arguments.webhook); !good) {
      return std::unexpected(good.error());
    }
  }
  if (arguments.secret_file.empty()) {
    return nullptr;
  }
  if (const auto secrets = Secrets(arguments.secret_file); !secrets) {
    return std::unexpected(secrets.error());
  }
  http::WebhookOptions options;
  options.secrets = [path = arguments.secret_file] { return Secrets(path); };
  options.allowed = arguments.allowed;
  options.certificates = arguments.certificates;
  return http::OpenWebhookSender(std::move(options));
}

std::string WorkerName() {
  char host[256] = "";
  if (::gethostname(host, sizeof host - 1) != 0) {
    host[0] = '\0';
  }
  return fmt::format("{}:{}", host, ::getpid());
}

// No judge was named, and none is needed for what the given routes put off.
bool RoutesAlone(const JobsRunArguments& arguments) {
  return !arguments.routes.empty() && arguments.judge.judge == "reasoner" &&
         arguments.judge.model.empty();
}

struct Stores {
  std::string folder;
  std::unique_ptr<JobQueue> queue;
  std::unique_ptr<moderation::VerdictLog> log;
};

Result<Stores> OpenStores(const JobsRunArguments& arguments) {
  Result<std::string> folder = DataFolder(arguments.data_dir);
  if (!folder) {
    return std::unexpected(folder.error());
  }
  auto queue = storage::OpenJobQueue(*folder, {}, {});
  if (!queue) {
    return std::unexpected(queue.error());
  }
  auto log = storage::OpenAuditedVerdictLog(*folder, {.create = true});
  if (!log) {
    return std::unexpected(log.error());
  }
  return Stores{std::move(*folder), std::move(*queue), std::move(*log)};
}

// Keeps the queue from growing for ever, now and then.
class Pruner {
 public:
  explicit Pruner(JobQueue& queue) : queue_(queue) {}
  Status operator()() {
    const auto now = std::chrono::steady_clock::now();
    if (last_ && now - *last_ < kPruneEvery) {
      return {};
    }
    last_ = now;
    const auto pruned = queue_.Prune(kPrunedAtOnce, UtcNow());
    return pruned ? Status{} : std::unexpected(pruned.error());
  }

 private:
  JobQueue& queue_;
  std::optional<std::chrono::steady_clock::time_point> last_;
};

// Who judges: one for jobs that were submitted, the routes for what they put off themselves.
struct JobJudges {
  std::unique_ptr<JobCalibrations> calibrations;
  std::unique_ptr<moderation::Judge> judge;  // null: routes alone
  std::string setup;                         // of `judge`, for receipts
  std::unique_ptr<JobPolicies> policies;     // of `judge`
  std::unique_ptr<JobRoutes> routes;
};

Result<JobJudges> OpenJudges(const JobsRunArguments& arguments, const std::string& folder,
                             Services& services, Console& console) {
  JobJudges judges;
  judges.routes = std::make_unique<JobRoutes>(services, console, folder, arguments.calibration,
                                              arguments.judge.threads);
  for (const std::string& route : arguments.routes) {
    if (const Status opened = judges.routes->Open(route); !opened) {
      return std::unexpected(opened.error());
    }
  }
  if (RoutesAlone(arguments)) {
    return judges;
  }
  auto calibrations =
      JobCalibrations::Open(arguments.calibration, folder, arguments.judge, services, console);
  if (!calibrations) {
    return std::unexpected(calibrations.error());
  }
  judges.calibrations = std::move(*calibrations);
  auto judge = services.OpenJudge(arguments.judge);
  if (!judge) {
    return std::unexpected(judge.error());
  }
  judges.judge = judges.calibrations->Apply(std::move(*judge));
  judges.setup = SetupOf(arguments.judge, services);
  judges.policies =
      std::make_unique<JobPolicies>(services, folder, *judges.judge, judges.calibrations.get());
  return judges;
}

// Judges here, tells in threads.
Status WorkAll(const JobsRunArguments& arguments, Stores& stores, JobJudges& judges,
               moderation::MessageSender* sender, Teller& teller, const std::atomic<bool>& stop) {
  const auto random = moderation::SeededRandom(std::random_device{}());
  moderation::WorkerOptions options;
  options.now = UtcNow;
  options.random = random.get();
  options.on_event = [&](const JobEvent& event) { teller.Event(event); };
  options.name = WorkerName();
  options.setup = judges.setup;
  options.lease_ms = std::llround(arguments.lease_s * 1000);
  options.retry.first_ms = std::llround(arguments.retry_s * 1000);
  options.batch = arguments.batch;
  options.webhook = arguments.webhook;
  options.routes = [&](const moderation::Judgement& judgement) {
    return judges.routes->Find(judgement);
  };

  std::atomic<bool> judging = true;
  std::mutex mutex;
  Status told;
  std::vector<std::thread> senders;
  for (std::size_t i = 0; sender != nullptr && i < arguments.senders; ++i) {
    senders.emplace_back([&] {
      const auto worker = moderation::NoticeWorker(*stores.queue, *sender, options);
      // What came before the last judgement ended may not have been seen yet: once more then.
      bool last_look = false;
      const Status done = Loop(*worker, teller, arguments.daemon, stop).Run([&] {
        const bool more = judging.load() || !std::exchange(last_look, true);
        return more;
      });
      const std::lock_guard lock(mutex);
      told = told ? done : told;
    });
  }
  const auto worker = moderation::JudgementWorker(
      *stores.queue, *stores.log, judges.judge.get(),
      [&](const moderation::JudgedPolicy& policy) { return judges.policies->Find(policy); },
      options);
  Pruner prune(*stores.queue);
  Loop loop(*worker, teller, arguments.daemon, stop);
  const Status judged = loop.Run([&] {
    if (const Status pruned = prune(); !pruned) {
      teller.Trouble(pruned.error());
    }
    return false;
  });
  judging.store(false);
  for (std::thread& thread : senders) {
    thread.join();
  }
  return judged ? told : judged;
}

std::string LeftText(JobQueue& queue, bool can_tell, const std::string& summary) {
  const moderation::TimeMs now = UtcNow();
  const auto all = queue.Counts("", now);
  const auto notices = queue.Counts(moderation::kNotifyJob, now);
  std::string text = summary + ".\n";
  if (!all || !notices) {
    return text;  // the queue's trouble has been told
  }
  text += CountsText(*all);
  if (all->next) {
    text += "; the next at " + UtcText(*all->next);
  }
  text += ".\n";
  if (!can_tell && notices->waiting > 0) {
    text += fmt::format("{} notices wait for a secret to sign them: --webhook-secret-file.\n",
                        notices->waiting);
  }
  return text;
}

// "the screen's recall of comments under spam: 0.912 (0.850-0.961), 90 audits": what the audits of
// all processes on this data folder come to, those that were finished here included.
void TellRecall(const JobRoutes::Recall& recall, bool json, Console& console) {
  const moderation::RecallEstimate& estimate = recall.estimate;
  if (json) {
    console.Out(JsonLine({{"event", "screen_recall"},
                          {"route", recall.route},
                          {"policy", recall.policy},
                          {"recall", *estimate.recall},
                          {"low", estimate.low},
                          {"high", estimate.high},
                          {"audits", estimate.audited_safe},
                          {"alarm", recall.alarmed}}) +
                "\n");
    return;
  }
  console.Out(
      fmt::format("The screen's recall of {} under {}: {:.3f} ({:.3f}-{:.3f}), {} audited.\n",
                  Printable(recall.route), Printable(recall.policy), *estimate.recall, estimate.low,
                  estimate.high, estimate.audited_safe));
}

}  // namespace

ExitCode RunJobs(const JobsRunArguments& arguments, Services& services, Console& console,
                 const std::atomic<bool>& stop) {
  if (const Status good = CheckJudge(arguments.judge); !good && !RoutesAlone(arguments)) {
    return Fails(console, good.error(), ExitCode::kUsage);
  }
  const auto sender = OpenSender(arguments);
  if (!sender) {
    return Fails(console, sender.error(), ExitCode::kUsage);
  }
  Result<Stores> stores = OpenStores(arguments);
  if (!stores) {
    return Fails(console, stores.error(), ExitCode::kCannotRun);
  }
  Result<JobJudges> judges = OpenJudges(arguments, stores->folder, services, console);
  if (!judges) {
    return Fails(console, judges.error(), ExitCode::kCannotRun);
  }
  Teller teller(console, arguments.json);
  const Status worked = WorkAll(arguments, *stores, *judges, sender->get(), teller, stop);
  for (const JobRoutes::Recall& recall : judges->routes->Recalls()) {
    TellRecall(recall, arguments.json, console);
  }
  if (!arguments.json) {
    console.Out(LeftText(*stores->queue, *sender != nullptr, teller.Summary()));
  }
  if (!worked) {
    return ExitCode::kCannotRun;  // it has been told
  }
  return stop.load() ? ExitCode::kInterrupted : ExitCode::kSafe;
}

}  // namespace safeguard::apps
