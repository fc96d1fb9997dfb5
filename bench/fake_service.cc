// The service around parts that answer at once: what HTTP, JSON, the queue and counting cost.
//   fake_service judge|proxy|streams|guarded-streams    serves until standard input ends
//     judge             a judge that calls everything safe
//     proxy             the same before an upstream that answers at once, in this process: its
//                       address is printed too
//     streams           a model to talk to that begins and never ends
//     guarded-streams   an upstream that begins and never ends, behind the guard
#include <chrono>
#include <cstdint>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/random_bytes.h"
#include "base/utc_time.h"
#include "http/fake_upstream.h"
#include "http/server.h"
#include "http/service.h"

namespace safeguard {
namespace {

class Prepared final : public moderation::PreparedPolicy {
 public:
  explicit Prepared(moderation::Policy policy) : policy_(std::move(policy)) {}
  [[nodiscard]] const moderation::Policy& policy() const override { return policy_; }

 private:
  moderation::Policy policy_;
};

class InstantJudge final : public moderation::Judge {
 public:
  Result<std::shared_ptr<const moderation::PreparedPolicy>> Prepare(
      const moderation::Policy& policy, std::span<const moderation::GoldenCase>) override {
    return std::make_shared<Prepared>(policy);
  }
  std::vector<moderation::Verdict> Decide(
      std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
      std::span<const moderation::Content> contents) override {
    std::vector<moderation::Verdict> verdicts;
    verdicts.reserve(policies.size() * contents.size());
    for (std::size_t c = 0; c < contents.size(); ++c) {
      for (const auto& policy : policies) {
        moderation::Verdict verdict;
        verdict.policy = policy->policy().Reference();
        verdict.outcome = moderation::Outcome::kSafe;
        verdict.reason = moderation::UndeterminedReason::kNone;
        verdict.score = 0.125;
        verdict.rationale = "Below the threshold: 0.12 of 0.50.";
        verdict.decided_by = {"screen", "instant", std::string(64, '0')};
        verdict.timings_ms["total"] = 0.001;
        verdicts.push_back(std::move(verdict));
      }
    }
    return verdicts;
  }
};

// Begins and never ends.
class SilentModel final : public http::ChatModel {
 public:
  [[nodiscard]] const std::string& name() const override { return name_; }
  Result<std::uint64_t> Ask(http::ChatQuestion, OnPiece on_piece, OnEnd on_end) override {
    on_piece({true, "The rule ", {}});
    const std::lock_guard lock(mutex_);
    ends_.push_back(std::move(on_end));
    return ends_.size();
  }
  void Cancel(std::uint64_t) override {}
  void End() {
    const std::lock_guard lock(mutex_);
    http::ChatEnd cancelled;
    cancelled.why = http::ChatEnd::Why::kCancelled;
    for (const OnEnd& end : ends_) {
      end(cancelled);
    }
    ends_.clear();
  }

 private:
  std::string name_ = "silent";
  std::mutex mutex_;
  std::vector<OnEnd> ends_;
};

constexpr const char* kChatAnswer =
    R"({"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-x","choices":[)"
    R"({"index":0,"message":{"role":"assistant","content":"It fits well."},"finish_reason":"stop"}],)"
    R"("usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}})";

Result<std::unique_ptr<http::Server>> StartUpstream() {
  return http::Server::Start({.port = 0},
                             [](const std::shared_ptr<http::Request>&, const http::Reply& reply) {
                               http::Response response;
                               response.body = kChatAnswer;
                               reply(std::move(response));
                             });
}

std::unique_ptr<http::Upstream> OpenSilentUpstream() {
  auto upstream = std::make_unique<http::FakeUpstream>();
  upstream->Set({.body = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,"
                         "\"model\":\"gpt-x\",\"choices\":[{\"index\":0,\"delta\":{\"role\":"
                         "\"assistant\"},\"finish_reason\":null}]}\n\n",
                 .then = http::UpstreamScript::Then::kSilence});
  return upstream;
}

// What a mode has beyond the judge.
struct Extra {
  SilentModel model;
  std::unique_ptr<http::Server> upstream_server;
  std::unique_ptr<http::Upstream> upstream;
  http::ProxyOptions proxy;
};

Status OpenExtra(const std::string& mode, Extra& extra) {
  if (mode == "proxy") {
    auto server = StartUpstream();
    if (!server) {
      return std::unexpected(server.error());
    }
    extra.upstream_server = std::move(*server);
    const std::string url = "http://127.0.0.1:" + std::to_string(extra.upstream_server->port());
    std::cout << "Upstream on " << url << "\n";
    auto upstream = http::OpenUpstream({.url = url + "/v1", .allowed = {"127.0.0.1"}});
    if (!upstream) {
      return std::unexpected(upstream.error());
    }
    extra.upstream = std::move(*upstream);
  } else if (mode == "guarded-streams") {
    extra.upstream = OpenSilentUpstream();
  }
  extra.proxy.exchanges_max = 20'000;
  extra.proxy.guard.stream.limits.stall_max = std::chrono::hours(1);
  extra.proxy.stream_time_max = std::chrono::hours(1);
  return {};
}

int Fail(const Error& error) {
  std::cerr << Describe(error) << "\n";
  return 1;
}

int Serve(const std::string& mode) {
  const std::string text = "# Spam\n\n## Violates\n- SP1.a Sells followers.\n";
  const std::vector<http::ShippedPolicy> shipped = {
      {*moderation::ReadPolicy(text, "spam"), text, {}, ""}};
  const http::GoldenReader no_golden = [](std::string_view, const std::string&) {
    return std::vector<moderation::GoldenCase>();
  };
  Extra extra;
  if (const Status opened = OpenExtra(mode, extra); !opened) {
    return Fail(opened.error());
  }
  InstantJudge judge;
  http::KeyRing keys;
  http::Metrics metrics;
  http::PolicyShelf shelf(judge, shipped, nullptr, no_golden);
  http::Judging judging({judge, shelf, nullptr, metrics, UtcNow}, {});
  http::Service service({.judging = judging,
                         .shelf = shelf,
                         .keys = keys,
                         .metrics = metrics,
                         .read_golden = no_golden,
                         .now = UtcNow,
                         .random_bytes = RandomBytes,
                         .log_line = [](std::string_view) {},
                         .chat = mode == "streams" ? &extra.model : nullptr,
                         .upstream = extra.upstream.get()},
                        {.keys_required = false, .proxy = extra.proxy});
  const auto server =
      http::Server::Start({.port = 0, .connections_max = 20'000},
                          [&](std::shared_ptr<http::Request> request, http::Reply reply) {
                            service.Handle(std::move(request), std::move(reply));
                          });
  if (!server) {
    return Fail(server.error());
  }
  service.SetReady(true);
  std::cout << "Listening on http://127.0.0.1:" << (*server)->port() << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
  }
  extra.model.End();
  const bool drained = (*server)->Drain();
  judging.Stop();
  service.Stop();
  return drained ? 0 : 1;
}

}  // namespace
}  // namespace safeguard

int main(int argc, char** argv) {
  return safeguard::Serve(argc > 1 ? argv[1] : "judge");
}
