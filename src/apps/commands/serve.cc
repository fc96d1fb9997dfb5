// `safeguard serve`: the object graph of the service, and its life from start to drain.
#include "apps/commands/serve.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "apps/command_line/command_tree.h"
#include "apps/commands/commands.h"
#include "apps/commands/judging.h"
#include "apps/commands/reload_signal.h"
#include "apps/commands/serve_jobs.h"
#include "apps/commands/serve_parts.h"
#include "apps/receipt/judge_setup.h"
#include "apps/serve/dataset_reader.h"
#include "apps/serve/listening.h"
#include "apps/serve/served_routes.h"
#include "apps/serve/shared_judge.h"
#include "apps/serve/talk.h"
#include "apps/serve/tenants.h"
#include "base/random_bytes.h"
#include "base/utc_time.h"
#include "http/server.h"
#include "http/service.h"
#include "http/webhook_sender.h"

namespace safeguard::apps {
namespace {

constexpr std::chrono::milliseconds kLook{100};  // for a signal
constexpr int kLooksPerKeyCheck = 10;
constexpr std::size_t kRouteThreads = 3;  // that finish what routes put off, besides the first

bool GuardsTraffic(const http::ServedRoute& route) {
  return route.guard.has_value();
}

// The object graph of a server. Members are destroyed from the last to the first: the server, whose
// answers everything else gives, goes first.
class Serving {
 public:
  Serving(const ServeArguments& arguments, Services& services, Console& console)
      : arguments_(arguments), services_(services), console_(console) {}

  // An exit code where it cannot run; the reason has been told.
  std::optional<ExitCode> Open();
  ExitCode Run(const std::atomic<bool>& stop);

 private:
  std::optional<ExitCode> OpenStores();
  std::optional<ExitCode> OpenModels();
  std::optional<ExitCode> OpenRoutes();
  std::optional<ExitCode> OpenSlowJudge();
  std::optional<ExitCode> Listen();
  std::unique_ptr<moderation::Judge> JudgeOf(std::unique_ptr<moderation::Judge> judge, Kept& kept);
  std::unique_ptr<moderation::VerdictLog> SlowLogOf(Kept& kept) const;
  [[nodiscard]] http::JudgingOptions JudgingOptionsOf() const;
  [[nodiscard]] http::ServiceParts ServicePartsOf();
  JobsOfTenant JobsOf(const Kept& kept, moderation::Judge& judge, http::PolicyShelf& shelf);
  JobsOfTenant JobsOf(const Tenants::Tenant& tenant);
  Status OpenTenants();
  void AddGauges();
  void StartJobs();
  void WaitForStop(const std::atomic<bool>& stop);
  void FollowKeys();
  void Reload();

  const ServeArguments& arguments_;
  Services& services_;
  Console& console_;
  ReloadSignal reload_;
  std::mutex line_mutex_;
  Kept kept_;
  http::KeyRing keys_;
  std::optional<KeyWatch> key_watch_;
  std::unique_ptr<moderation::MessageSender> sender_;
  std::vector<http::ShippedPolicy> shipped_;
  std::unique_ptr<moderation::Judge> model_judge_;  // that all tenants share
  std::unique_ptr<moderation::Judge> judge_;        // the default tenant's: with its calibrations
  std::string setup_;                               // of the judge, for receipts
  moderation::TokenCounter count_tokens_;           // null: none is installed
  Talk talk_;
  http::Metrics metrics_;
  std::optional<http::PolicyShelf> shelf_;
  std::optional<http::Judging> judging_;
  std::unique_ptr<moderation::Judge> slow_judge_;  // null: none
  std::string slow_setup_;                         // for receipts
  std::unique_ptr<moderation::VerdictLog> slow_log_;
  std::optional<http::PolicyShelf> slow_shelf_;
  std::optional<http::Judging> slow_judging_;
  std::unique_ptr<ServedRoutes> routes_;
  std::optional<Tenants> tenants_;
  std::optional<http::Service> service_;
  std::vector<Tenants::Tenant*> waiting_for_jobs_;  // until there are any
  std::set<std::string> followed_;                  // tenants that the keys named last time
  bool tenant_missing_ = false;                     // one of them could not be opened
  std::atomic<bool> evals_stop_{false};
  std::optional<ServeJobs> jobs_;
  std::unique_ptr<http::Server> server_;
};

std::optional<ExitCode> Serving::OpenStores() {
  Result<Kept> kept = OpenKept(arguments_.data_dir);
  if (!kept) {
    return Fails(console_, kept.error(), ExitCode::kCannotRun);
  }
  kept_ = std::move(*kept);
  key_watch_.emplace(kept_.folder, keys_);
  if (const Status loaded = key_watch_->Look(); !loaded) {
    return Fails(console_, loaded.error(), ExitCode::kCannotRun);
  }
  if (const Status reach = CheckReach(arguments_, keys_); !reach) {
    return Fails(console_, reach.error(), ExitCode::kUsage);
  }
  return std::nullopt;
}

std::optional<ExitCode> Serving::OpenModels() {
  Result<std::vector<http::ShippedPolicy>> shipped = LoadShipped(services_);
  if (!shipped) {
    return Fails(console_, shipped.error(), ExitCode::kCannotRun);
  }
  shipped_ = std::move(*shipped);
  Result<Services::JudgeAndModel> judge = services_.OpenJudgeAndModel(arguments_.judge);
  if (!judge) {
    return Fails(console_, judge.error(), ExitCode::kCannotRun);
  }
  // Only the check of a policy's length misses it.
  count_tokens_ = services_.OpenTokenCounter("").value_or(nullptr);
  model_judge_ = std::move(judge->judge);
  setup_ = kept_.folder.empty() ? "" : SetupOf(arguments_.judge, services_);
  judge_ = JudgeOf(std::make_unique<SharedJudge>(*model_judge_), kept_);
  std::optional<ExitCode> failed = OpenSlowJudge();
  failed = failed ? failed : OpenRoutes();
  if (failed) {
    return failed;
  }
  Result<Talk> talk = OpenTalk(arguments_.talk, arguments_.judge, std::move(judge->model),
                               services_.OpenedModel(arguments_.talk.chat_model));
  if (!talk) {
    return Fails(console_, talk.error(), ExitCode::kCannotRun);
  }
  talk_ = std::move(*talk);
  return std::nullopt;
}

std::optional<ExitCode> Serving::OpenRoutes() {
  auto routes = ServedRoutes::Open(
      {.files = arguments_.routes,
       .folder = kept_.folder,
       .policies = kept_.policies.get(),
       .log = kept_.verdicts.get(),
       .metrics = metrics_,
       .judging = JudgingOptionsOf(),
       .threads = arguments_.judge.threads,
       .finishes = kept_.queue != nullptr && !arguments_.no_jobs,
       .slow_judge = slow_judge_.get(),
       .slow_log = [this] { return SlowLogOf(kept_); },
       .services = services_,
       .console = console_,
       .tell =
           [this](const std::string& event, const std::string& detail, bool error) {
             service_->Log(event, detail, error ? http::LogLevel::kError : http::LogLevel::kInfo);
           }});
  if (!routes) {
    return Fails(console_, routes.error().error,
                 routes.error().usage ? ExitCode::kUsage : ExitCode::kCannotRun);
  }
  routes_ = std::move(*routes);
  if (!arguments_.talk.upstream.empty() && arguments_.talk.require_route &&
      std::ranges::none_of(routes_->routes(), GuardsTraffic)) {
    return Fails(console_,
                 {ErrorCode::kInvalidInput, "with --require-route nothing would be passed on",
                  "give a --route whose file has a section guard"},
                 ExitCode::kCannotRun);
  }
  return std::nullopt;
}

// What the proxy asks when the judge of all requests cannot decide.
std::optional<ExitCode> Serving::OpenSlowJudge() {
  if (arguments_.talk.slow_judge.empty()) {
    return std::nullopt;
  }
  const JudgeChoice choice = SlowChoice(arguments_);
  auto judge = services_.OpenJudge(choice);
  if (!judge) {
    return Fails(console_, judge.error(), ExitCode::kCannotRun);
  }
  slow_judge_ = std::move(*judge);
  slow_setup_ = kept_.folder.empty() ? "" : SetupOf(choice, services_);
  slow_shelf_.emplace(*slow_judge_, shipped_, kept_.policies.get(), ReadGolden);
  slow_log_ = SlowLogOf(kept_);
  slow_judging_.emplace(
      http::JudgingParts{*slow_judge_, *slow_shelf_, slow_log_.get(), metrics_, UtcNow},
      JudgingOptionsOf());
  return std::nullopt;
}

// A tenant's log as the slow judge writes to it; null where nothing is kept.
std::unique_ptr<moderation::VerdictLog> Serving::SlowLogOf(Kept& kept) const {
  return kept.verdicts == nullptr ? nullptr
                                  : WithSetup(*kept.verdicts, SlowChoice(arguments_), slow_setup_);
}

http::ServiceParts Serving::ServicePartsOf() {
  return {.judging = *judging_,
          .shelf = *shelf_,
          .store = kept_.policies.get(),
          .log = kept_.verdicts.get(),
          .keys = keys_,
          .metrics = metrics_,
          .read_golden = ReadGolden,
          .now = UtcNow,
          .random_bytes = RandomBytes,
          .log_line =
              [this](std::string_view line) {
                const std::lock_guard lock(line_mutex_);
                console_.Error(std::string(line) + "\n");
              },
          .chat = talk_.chat.get(),
          .upstream = talk_.upstream.get(),
          .queue = kept_.queue.get(),
          .check_webhook = http::CheckWebhookUrl,
          .reviews = kept_.reviews.get(),
          .files = kept_.files.get(),
          .batches = kept_.batches.get(),
          .read_dataset = DatasetReaderIn(EvalFolder(kept_.folder)),
          .slow_judging = slow_judging_ ? &*slow_judging_ : nullptr,
          .count_tokens = count_tokens_,
          .find_tenant = [this](const std::string& name) { return tenants_->Find(name); },
          .sign_receipt = SignerOf(kept_),
          .routes = routes_->routes()};
}

std::optional<ExitCode> Serving::Listen() {
  Result<std::unique_ptr<http::Server>> server = http::Server::Start(
      ServerOptionsOf(arguments_),
      [this](std::shared_ptr<http::Request> request, http::Reply reply) {
        service_->Handle(std::move(request), std::move(reply));
      },
      [this](http::Request& head) { return service_->PlanBody(head); });
  if (!server) {
    return Fails(console_, server.error(), ExitCode::kCannotRun);
  }
  server_ = std::move(*server);
  console_.Out("Listening on " + Address(arguments_, server_->port()) +
               (kept_.folder.empty() ? "; nothing is kept without --data-dir" : "") + "\n");
  return std::nullopt;
}

void Serving::AddGauges() {
  metrics_.SetGauge("safeguard_http_connections", "Connections that are open",
                    [this] { return static_cast<double>(server_->connections()); });
  if (kept_.queue != nullptr) {
    AddJobGauges(metrics_, [this] {
      std::map<std::string, moderation::JobQueue*> queues = tenants_->Queues();
      queues[std::string(http::kDefaultTenant)] = kept_.queue.get();
      return queues;
    });
  }
}

std::optional<ExitCode> Serving::Open() {
  if (const Status usage = CheckJudge(arguments_.judge); !usage) {
    return Fails(console_, usage.error(), ExitCode::kUsage);
  }
  Result<std::unique_ptr<moderation::MessageSender>> sender = OpenSender(arguments_.webhook);
  if (!sender) {
    return Fails(console_, sender.error(), ExitCode::kUsage);
  }
  sender_ = std::move(*sender);
  std::optional<ExitCode> failed = OpenStores();
  failed = failed ? failed : OpenModels();
  if (failed) {
    return failed;
  }
  shelf_.emplace(*judge_, shipped_, kept_.policies.get(), ReadGolden);
  judging_.emplace(http::JudgingParts{*judge_, *shelf_, kept_.verdicts.get(), metrics_, UtcNow},
                   JudgingOptionsOf());
  tenants_.emplace(TenantsParts{
      kept_.folder, *model_judge_, shipped_, metrics_, JudgingOptionsOf(), slow_judge_.get(),
      [this](std::unique_ptr<moderation::Judge> judge, Kept& kept) {
        return JudgeOf(std::move(judge), kept);
      },
      [this](Kept& kept) { return SlowLogOf(kept); }, &*shelf_,
      slow_shelf_ ? &*slow_shelf_ : nullptr,
      [this](const std::string& folder) { return OpenTenantSender(arguments_.webhook, folder); }});
  if (const Status opened = OpenTenants(); !opened) {
    return Fails(console_, opened.error(), ExitCode::kCannotRun);
  }
  service_.emplace(ServicePartsOf(),
                   http::ServiceOptions{.keys_required = !http::IsLoopback(arguments_.host),
                                        .timeout = std::chrono::milliseconds(arguments_.timeout_ms),
                                        .content_bytes_max = arguments_.content_kib << 10U,
                                        .proxy = talk_.proxy,
                                        .model = "safeguard-" + arguments_.judge.judge,
                                        .keep_content = arguments_.record_content,
                                        .works_on_evals = !arguments_.no_jobs,
                                        .spool_folder = kept_.folder});
  for (const std::string& name : keys_.tenants()) {
    service_->OpenTenant(name);
  }
  failed = Listen();
  if (!failed) {
    AddGauges();
  }
  return failed;
}

JobsOfTenant Serving::JobsOf(const Kept& kept, moderation::Judge& judge, http::PolicyShelf& shelf) {
  return {*kept.queue,
          *kept.verdicts,
          judge,
          shelf,
          MakeEvals(arguments_.judge, services_, kept, judge, shelf, evals_stop_),
          sender_.get()};
}

// Its notices wait while it has no secrets of its own: were they signed with the server's, every
// tenant could send what another's receiver believes.
JobsOfTenant Serving::JobsOf(const Tenants::Tenant& tenant) {
  JobsOfTenant jobs = JobsOf(tenant.kept, *tenant.judge, *tenant.shelf);
  jobs.sender = tenant.sender.get();
  jobs.may_send = [folder = tenant.kept.folder] { return HasTenantSecrets(folder); };
  if (sender_ != nullptr && !jobs.may_send()) {
    service_->Log("webhooks-wait", tenant.kept.folder +
                                       " has no webhook-secrets.txt: what is to be told to this "
                                       "tenant's webhooks waits for it");
  }
  return jobs;
}

// The judge as a tenant has it, with the calibrations that it keeps; its log says of each verdict
// how it came about.
std::unique_ptr<moderation::Judge> Serving::JudgeOf(std::unique_ptr<moderation::Judge> judge,
                                                    Kept& kept) {
  if (kept.verdicts != nullptr) {
    kept.verdicts = WithSetup(std::move(kept.verdicts), arguments_.judge, setup_);
  }
  return WithStoredCalibrations(std::move(judge), kept, arguments_.judge, services_, console_);
}

http::JudgingOptions Serving::JudgingOptionsOf() const {
  return {.workers = arguments_.workers,
          .queue_contents_max = arguments_.queue,
          .keep_content = arguments_.record_content};
}

// Those that the keys name and that are not open yet.
Status Serving::OpenTenants() {
  return tenants_->Open(keys_.tenants(), [this](Tenants::Tenant& tenant) {
    if (jobs_) {
      jobs_->Add(JobsOf(tenant));
    } else {
      waiting_for_jobs_.push_back(&tenant);
    }
  });
}

void Serving::StartJobs() {
  if (kept_.queue != nullptr && !arguments_.no_jobs) {
    const bool routed = !routes_->routes().empty();
    jobs_.emplace(ServeJobsParts{[this](const std::string& event, const std::string& detail) {
                                   service_->Log(event, detail,
                                                 event == "job-put-back" ? http::LogLevel::kInfo
                                                                         : http::LogLevel::kError);
                                 },
                                 routed ? kRouteThreads : 0});
    JobsOfTenant jobs = JobsOf(kept_, *judge_, *shelf_);
    jobs.webhook = arguments_.webhook.url;
    if (routed) {
      jobs.routes = routes_->Finisher();
    }
    jobs_->Add(std::move(jobs));
    for (Tenants::Tenant* tenant : waiting_for_jobs_) {
      jobs_->Add(JobsOf(*tenant));
    }
  }
}

void Serving::WaitForStop(const std::atomic<bool>& stop) {
  for (int look = 1; !stop.load(); ++look) {
    std::this_thread::sleep_for(kLook);
    if (reload_.Take()) {
      Reload();
    }
    if (look % kLooksPerKeyCheck == 0) {
      const Status looked = key_watch_->Look();
      if (!looked) {
        service_->Log("keys-unreadable", Describe(looked.error()), http::LogLevel::kError);
      }
      FollowKeys();
      routes_->LookAtLists();
    }
  }
}

// A tenant that the keys have come to name is opened; one that cannot be is told of once, and tried
// again.
void Serving::FollowKeys() {
  const std::set<std::string> names = keys_.tenants();
  const bool news = names != followed_;
  if (!news && !tenant_missing_) {
    return;
  }
  const Status opened = OpenTenants();
  if (!opened && news) {
    service_->Log("tenant-unavailable", Describe(opened.error()), http::LogLevel::kError);
  }
  for (const std::string& name : names) {
    service_->OpenTenant(name);
  }
  tenant_missing_ = !opened;
  followed_ = names;
}

// What cannot be read changes nothing; what needs a new start is said and changes nothing either.
void Serving::Reload() {
  CommandTree tree;
  const Invocation read = tree.Parse(arguments_.words);
  const auto* fresh = std::get_if<ServeArguments>(&read);
  if (fresh == nullptr) {
    const auto* end = std::get_if<ParseEnd>(&read);
    service_->Log("reload-refused", end == nullptr ? "" : Describe(end->error),
                  http::LogLevel::kError);
    return;
  }
  service_->SetTimeout(std::chrono::milliseconds(fresh->timeout_ms));
  judging_->SetQueueMax(fresh->queue);
  routes_->SetQueueMax(fresh->queue);
  tenants_->SetQueueMax(fresh->queue);
  if (const Status tls = server_->ReloadTls(); !tls) {
    service_->Log("tls-unreadable", Describe(tls.error()), http::LogLevel::kError);
  }
  std::string later;
  for (const std::string& key : ChangedKeys(arguments_.effective, fresh->effective)) {
    if (key != "timeout_ms" && key != "queue") {
      later += (later.empty() ? "; at the next start: " : ", ") + key;
    }
  }
  service_->Log("reloaded", "timeout_ms " + std::to_string(fresh->timeout_ms) + ", queue " +
                                std::to_string(fresh->queue) + later);
}

ExitCode Serving::Run(const std::atomic<bool>& stop) {
  const Status guards = WarmPolicies(*shelf_, talk_.proxy.guard.input_policies);
  const Status warm = guards ? routes_->Warm() : guards;
  if (warm) {
    StartJobs();
    service_->SetReady(true);
    service_->Log("ready", "judge " + arguments_.judge.judge);
    WaitForStop(stop);
  }
  service_->SetReady(false);
  const bool drained = server_->Drain();
  evals_stop_.store(true);
  routes_->StopFinishing();
  if (jobs_) {
    jobs_->Stop();
  }
  judging_->Stop();
  routes_->Stop();
  if (slow_judging_) {
    slow_judging_->Stop();
  }
  tenants_->Stop();
  if (talk_.chat != nullptr) {
    talk_.chat->Stop();  // its last answers need the service and the server
  }
  service_->Stop();
  service_->Log("stopped",
                drained ? "every request was answered" : "some connections were cut off");
  return warm ? ExitCode::kSafe : Fails(console_, warm.error(), ExitCode::kCannotRun);
}

}  // namespace

ExitCode RunServe(const ServeArguments& arguments, Services& services, Console& console,
                  const std::atomic<bool>& stop) {
  Serving serving(arguments, services, console);
  const std::optional<ExitCode> failed = serving.Open();
  return failed ? *failed : serving.Run(stop);
}

}  // namespace safeguard::apps
