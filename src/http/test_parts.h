// What the tests of the service share: a judge that calls whatever holds "bad" a violation, a
// service around it with its stores in memory, and a call that waits for the answer.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/random_bytes.h"
#include "base/signature.h"
#include "http/fake_chat_model.h"
#include "http/service.h"
#include "moderation/job_queue.h"
#include "moderation/memory_store.h"

namespace safeguard::http {

class FakePrepared final : public moderation::PreparedPolicy {
 public:
  explicit FakePrepared(moderation::Policy policy) : policy_(std::move(policy)) {}
  [[nodiscard]] const moderation::Policy& policy() const override { return policy_; }

 private:
  moderation::Policy policy_;
};

// "bad" is a violation, "unclear" undetermined. `gate`, while it is held, keeps Decide waiting.
class FakeJudge final : public moderation::Judge {
 public:
  Result<std::shared_ptr<const moderation::PreparedPolicy>> Prepare(
      const moderation::Policy& policy, std::span<const moderation::GoldenCase>) override {
    ++prepared;
    return std::make_shared<FakePrepared>(policy);
  }

  std::vector<moderation::Verdict> Decide(
      std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
      std::span<const moderation::Content> contents) override {
    entered.fetch_add(1);
    const std::lock_guard wait(gate);
    return Answer(policies, contents);
  }

  // As Decide; while it waits for the gate it gives up where `stop` says so.
  std::vector<moderation::Verdict> DecideUntil(
      std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
      std::span<const moderation::Content> contents, const moderation::StopSignal& stop) override {
    entered.fetch_add(1);
    std::unique_lock wait(gate, std::defer_lock);
    while (IsSlow(contents) && !wait.try_lock()) {
      if (stop()) {
        stopped.fetch_add(1);
        return Stopped(policies, contents);
      }
      std::this_thread::yield();
    }
    return Answer(policies, contents);
  }

  std::vector<moderation::Verdict> DecideInPassing(
      std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
      std::span<const moderation::Content> contents, const moderation::StopSignal& stop) override {
    in_passing.fetch_add(static_cast<int>(contents.size()));
    return DecideUntil(policies, contents, stop);
  }

  // Says "let me think" first, in pieces; with `thinks_on` for as long as anybody listens.
  std::vector<moderation::Verdict> DecideAloud(
      std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
      const moderation::Content& content, const moderation::Onlooker& onlooker) override {
    for (std::size_t p = 0; p < policies.size(); ++p) {
      onlooker.on_reasoning(p, "let me ");
      onlooker.on_reasoning(p, "think");
    }
    while (thinks_on.load() && !onlooker.stop.stop_requested()) {
      onlooker.on_reasoning(0, " and think");
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (onlooker.stop.stop_requested()) {
      ++called_off;
      return std::vector<moderation::Verdict>(
          policies.size(),
          moderation::Undetermined(policies.front()->policy().Reference(),
                                   moderation::UndeterminedReason::kTimeout, "called off"));
    }
    return Decide(policies, std::span(&content, 1));
  }

  std::mutex gate;
  std::atomic<bool> sees_clearly = false;  // "unclear" is safe
  std::atomic<bool> thinks_on = false;
  std::atomic<int> called_off = 0;
  std::atomic<int> entered = 0;
  std::atomic<int> in_passing = 0;  // contents
  std::atomic<int> stopped = 0;
  std::size_t slow_bytes = 0;  // of a content, from which on DecideUntil waits for the gate
  std::atomic<int> calls = 0;
  std::atomic<int> prepared = 0;
  std::atomic<std::size_t> contents_in_last_call = 0;

 private:
  [[nodiscard]] bool IsSlow(std::span<const moderation::Content> contents) const {
    return std::ranges::any_of(contents, [&](const moderation::Content& content) {
      return moderation::TextBytes(content) >= slow_bytes;
    });
  }

  std::vector<moderation::Verdict> Answer(
      std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
      std::span<const moderation::Content> contents) {
    contents_in_last_call.store(contents.size());
    std::vector<moderation::Verdict> verdicts;
    for (const moderation::Content& content : contents) {
      for (const auto& policy : policies) {
        verdicts.push_back(DecideOne(policy->policy(), content));
      }
    }
    ++calls;
    return verdicts;
  }

  static std::vector<moderation::Verdict> Stopped(
      std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
      std::span<const moderation::Content> contents) {
    std::vector<moderation::Verdict> verdicts;
    for (std::size_t c = 0; c < contents.size(); ++c) {
      for (const auto& policy : policies) {
        verdicts.push_back(moderation::Undetermined(
            policy->policy().Reference(), moderation::UndeterminedReason::kTimeout, "stopped"));
      }
    }
    return verdicts;
  }

  [[nodiscard]] moderation::Verdict DecideOne(const moderation::Policy& policy,
                                              const moderation::Content& content) const {
    moderation::Verdict verdict;
    verdict.policy = policy.Reference();
    verdict.outcome = moderation::Outcome::kSafe;
    verdict.reason = moderation::UndeterminedReason::kNone;
    verdict.score = 0.125;
    verdict.rationale = "nothing bad in it";
    verdict.reasoning = "let me think";
    verdict.decided_by = {"screen", "fake", std::string(64, 'f')};
    verdict.view = "original";
    verdict.timings_ms["total"] = 1.5;
    for (std::size_t m = 0; m < content.messages.size(); ++m) {
      const std::size_t at = content.messages[m].text.find("bad");
      if (at != std::string::npos) {
        verdict.outcome = moderation::Outcome::kViolation;
        verdict.score = 0.875;
        verdict.category = "X1";
        verdict.rule_ids = {"X1.a"};
        verdict.evidence.push_back({m, at, at + 3, "bad"});
      }
      if (!sees_clearly.load() && content.messages[m].text.find("unclear") != std::string::npos) {
        return moderation::Undetermined(policy.Reference(),
                                        moderation::UndeterminedReason::kUncertain,
                                        "the score lies between");
      }
    }
    return verdict;
  }
};

inline ShippedPolicy Shipped(const std::string& id, const std::string& pack = "") {
  const std::string text = "---\nid: " + id + "\n---\n# " + id + "\n\n## Violates\n- X1.a Bad.\n";
  return {*moderation::ReadPolicy(text, id), text, {}, pack};
}

inline const std::vector<std::string>& CategoryPolicies() {
  static const std::vector<std::string> ids = {"harassment",
                                               "hate",
                                               "self-harm",
                                               "sexual-content",
                                               "violence",
                                               "openai-harassment-threatening",
                                               "openai-hate-threatening",
                                               "openai-illicit",
                                               "openai-illicit-violent",
                                               "openai-self-harm-instructions",
                                               "openai-self-harm-intent",
                                               "openai-sexual-minors",
                                               "openai-violence-graphic"};
  return ids;
}

class TestService;

struct TestOptions {
  bool with_store = true;
  bool keys_required = false;
  bool with_chat = true;
  Upstream* upstream = nullptr;  // outlives the service
  ProxyOptions proxy{};
  bool with_slow_judge = false;
  std::size_t jobs_max = 1000;
  JudgingOptions judging{};
  bool works_on_evals = true;
  std::string spool_folder{};
  // The routes of the service, made of its parts (test_route.h); what they refer to outlives it.
  std::function<std::vector<ServedRoute>(TestService&)> make_routes{};
};

// A form of these fields; "file" is a file.
inline constexpr const char* kFormType = "multipart/form-data; boundary=x";
inline std::string FormOf(const nlohmann::json& fields) {
  std::string form;
  for (const auto& [name, value] : fields.items()) {
    form += "--x\r\nContent-Disposition: form-data; name=\"" + name + "\"";
    form += name == "file" ? "; filename=\"sent.jsonl\"" : "";
    form += "\r\n\r\n" + value.get<std::string>() + "\r\n";
  }
  return form + "--x--\r\n";
}

// A line of a dataset is its text; "bad" ones are violations, or those of the mapping's values.
inline Result<DatasetFacts> ReadTestDataset(const moderation::ByteSource& source,
                                            const std::string& name,
                                            const DatasetMapping& mapping) {
  DatasetFacts facts;
  const std::string bytes = source.read(0, source.size).value();
  const std::string bad = mapping.positive.empty() ? "bad" : mapping.positive.front();
  std::istringstream lines(bytes);
  for (std::string line; std::getline(lines, line); ++facts.records) {
    ++(line.find(bad) == std::string::npos ? facts.safe : facts.violations);
  }
  return facts.violations == 0 ? Fail(ErrorCode::kInvalidInput, name + " has no label", "give some")
                               : Result<DatasetFacts>(facts);
}
struct TestTenant {
  std::unique_ptr<moderation::PolicyStore> store = moderation::MemoryPolicyStore();
  std::unique_ptr<moderation::VerdictLog> log = moderation::MemoryVerdictLog();
  std::unique_ptr<moderation::JobQueue> queue = moderation::MemoryJobQueue({.jobs_max = 1000});
  std::unique_ptr<moderation::ReviewQueue> reviews = moderation::MemoryReviewQueue({});
  std::unique_ptr<moderation::FileStore> files = moderation::MemoryFileStore({});
  std::unique_ptr<moderation::BatchStore> batches = moderation::MemoryBatchStore(*files);
  std::unique_ptr<PolicyShelf> shelf;
  std::unique_ptr<Judging> judging;
  std::unique_ptr<TenantParts> parts;
};

// The whole service but the network.
class TestService {
 public:
  explicit TestService(const TestOptions& options = {})
      : store(options.with_store ? moderation::MemoryPolicyStore() : nullptr),
        log(options.with_store ? moderation::MemoryVerdictLog() : nullptr),
        queue(options.with_store ? moderation::MemoryJobQueue({.jobs_max = options.jobs_max})
                                 : nullptr),
        reviews(options.with_store ? moderation::MemoryReviewQueue({}) : nullptr),
        files(options.with_store ? moderation::MemoryFileStore({}) : nullptr),
        batches(options.with_store ? moderation::MemoryBatchStore(*files) : nullptr) {
    for (const std::string& id : CategoryPolicies()) {
      shipped.push_back(Shipped(id, id.starts_with("openai-") ? "openai" : ""));
    }
    const auto clock = [this] { return now.load(); };
    const GoldenReader golden = [](std::string_view, const std::string&) {
      return std::vector<moderation::GoldenCase>(2);
    };
    shelf = std::make_unique<PolicyShelf>(judge, shipped, store.get(), golden);
    judging = std::make_unique<Judging>(JudgingParts{judge, *shelf, log.get(), metrics, clock},
                                        options.judging);
    if (options.with_slow_judge) {
      slow_judging = std::make_unique<Judging>(
          JudgingParts{slow_judge, *shelf, log.get(), metrics, clock}, JudgingOptions{});
    }
    if (options.make_routes) {
      routes = options.make_routes(*this);
    }
    service = MakeService(options);
    service->SetReady(true);
  }

  // Another one on the same stores, as after a restart.
  std::unique_ptr<Service> MakeService(const TestOptions& options) {
    const auto clock = [this] { return now.load(); };
    const GoldenReader golden = [](std::string_view, const std::string&) {
      return std::vector<moderation::GoldenCase>(2);
    };
    return std::make_unique<Service>(
        ServiceParts{
            *judging,
            *shelf,
            store.get(),
            log.get(),
            keys,
            metrics,
            golden,
            clock,
            RandomBytes,
            [this](std::string_view line) {
              const std::lock_guard lock(lines_mutex);
              lines.emplace_back(line);
              line_came.notify_all();
            },
            options.with_chat ? &chat : nullptr,
            options.upstream,
            queue.get(),
            [](const std::string& url) {
              return url.starts_with("https://") ? Status()
                                                 : Fail(ErrorCode::kInvalidInput, "no URL");
            },
            reviews.get(),
            files.get(),
            batches.get(),
            ReadTestDataset,
            slow_judging.get(),
            nullptr,
            [this](const std::string& name) {
              const auto found = tenants.find(name);
              return found == tenants.end() ? nullptr : found->second->parts.get();
            },
            [this](std::string_view text) {
              return std::optional(moderation::ReceiptSignature{key.public_key, Sign(key, text)});
            },
            routes},
        ServiceOptions{.keys_required = options.keys_required,
                       .proxy = options.proxy,
                       .works_on_evals = options.works_on_evals,
                       .spool_folder = options.spool_folder});
  }

  // Before any request of it comes.
  void AddTenant(const std::string& name) {
    auto tenant = std::make_unique<TestTenant>();
    tenant->shelf = std::make_unique<PolicyShelf>(
        judge, shipped, tenant->store.get(),
        [](std::string_view, const std::string&) { return std::vector<moderation::GoldenCase>(2); },
        name);
    tenant->shelf->FallBackOn(*shelf);
    tenant->judging =
        std::make_unique<Judging>(JudgingParts{judge, *tenant->shelf, tenant->log.get(), metrics,
                                               [this] { return now.load(); }},
                                  JudgingOptions());
    tenant->parts = std::make_unique<TenantParts>(
        TenantParts{*tenant->judging, *tenant->shelf, tenant->store.get(), tenant->log.get(),
                    tenant->queue.get(), tenant->reviews.get(), tenant->files.get(),
                    tenant->batches.get(), ReadTestDataset});
    tenants[name] = std::move(tenant);
  }

  std::future<Response> Start(Request request) {
    request.received = std::chrono::steady_clock::now();
    if (FindHeader(request.headers, "host").empty()) {
      request.headers.push_back({"host", "localhost:8080"});
    }
    if (!request.body.empty() && FindHeader(request.headers, "content-type").empty()) {
      request.headers.push_back({"content-type", "application/json"});
    }
    auto promise = std::make_shared<std::promise<Response>>();
    std::future<Response> future = promise->get_future();
    service->Handle(std::make_shared<Request>(std::move(request)),
                    [promise](Response response) { promise->set_value(std::move(response)); });
    return future;
  }

  Response Call(const std::string& method, const std::string& target, const std::string& body = "",
                std::vector<Header> headers = {}) {
    Request request;
    request.method = method;
    const std::size_t question = target.find('?');
    request.path = target.substr(0, question);
    request.query = question == std::string::npos ? "" : target.substr(question + 1);
    request.body = body;
    request.headers = std::move(headers);
    return Start(std::move(request)).get();
  }

  std::vector<std::string> LogLines() {
    const std::lock_guard lock(lines_mutex);
    return lines;
  }

  // Whether a line with `part` in it is logged, now or soon. What a stream comes to is logged by
  // the thread that wrote it, after its last byte: a test that has read it all must wait for that.
  bool AwaitLogLine(std::string_view part) {
    std::unique_lock lock(lines_mutex);
    return line_came.wait_for(lock, std::chrono::seconds(20), [&] {
      return std::ranges::any_of(
          lines, [&](const std::string& line) { return line.find(part) != line.npos; });
    });
  }

  FakeJudge judge;
  FakeChatModel chat;
  std::vector<ShippedPolicy> shipped;
  std::unique_ptr<moderation::PolicyStore> store;
  std::unique_ptr<moderation::VerdictLog> log;
  std::unique_ptr<moderation::JobQueue> queue;
  std::unique_ptr<moderation::ReviewQueue> reviews;
  std::unique_ptr<moderation::FileStore> files;
  std::unique_ptr<moderation::BatchStore> batches;
  KeyRing keys;
  SigningKey key = NewSigningKey();  // of receipts
  Metrics metrics;
  std::atomic<std::int64_t> now = 1'795'881'600'000;
  std::mutex lines_mutex;
  std::condition_variable line_came;
  std::vector<std::string> lines;
  std::unique_ptr<PolicyShelf> shelf;
  std::unique_ptr<Judging> judging;
  FakeJudge slow_judge;
  std::unique_ptr<Judging> slow_judging;
  std::map<std::string, std::unique_ptr<TestTenant>> tenants;
  std::vector<ServedRoute> routes;
  std::unique_ptr<Service> service;
};

// Everything of a body that is sent while it is written.
inline std::string WholeBody(const Response& response) {
  std::string bytes;
  std::mutex mutex;
  std::condition_variable written;
  bool news = true;
  response.stream->OnWritten([&] {
    const std::lock_guard lock(mutex);
    news = true;
    written.notify_one();
  });
  for (;;) {
    {
      std::unique_lock lock(mutex);
      written.wait(lock, [&] { return news; });
      news = false;
    }
    const BodyStream::Part part = response.stream->Take();
    bytes += part.bytes;
    if (part.ended) {
      response.stream->OnWritten(nullptr);
      return bytes;
    }
  }
}

inline nlohmann::json JsonOf(const Response& response) {
  return nlohmann::json::parse(response.body);
}

}  // namespace safeguard::http
