// For tests: a proxy whose routes have judges of their own, in front of an upstream that does what
// it is told to, without the service around it.
#pragma once

#include <chrono>
#include <future>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "http/fake_upstream.h"
#include "http/proxy/proxy.h"
#include "http/test_parts.h"

namespace safeguard::http {

class RoutedProxy {
 public:
  ~RoutedProxy() { proxy_.reset(); }

  // Before Start(). `route`: empty for none, which is needed. The judges outlive this; `slow` may
  // be null.
  void Add(const std::string& route, moderation::Judge& judge, GuardOptions options,
           moderation::Judge* slow = nullptr) {
    options.input_policies = {"hate"};
    options.output_policies = {"hate"};
    Guarding guarding{route, std::move(options), JudgingBy(judge),
                      slow == nullptr ? nullptr : &JudgingBy(*slow), "safeguard-test"};
    if (route.empty()) {
      none_ = std::make_unique<Guarding>(std::move(guarding));
    } else {
      routes_.push_back(std::move(guarding));
    }
  }
  void Start(bool need_route = false) {
    proxy_ = std::make_unique<Proxy>(
        ExchangeParts{metrics, upstream, [] { return moderation::TimeMs{1'795'881'600'000}; },
                      [this](std::string_view line) {
                        const std::lock_guard lock(mutex_);
                        lines_.emplace_back(line);
                      },
                      settings},
        Guardings(*none_, routes_, need_route));
  }

  // The question of one user. `values`: of the path, as in {{"route", "strict"}}.
  std::future<Response> Send(guard::WireFormat format, const std::string& text, bool stream,
                             std::vector<Header> headers = {},
                             std::map<std::string, std::string> values = {}) {
    nlohmann::json body = {{"model", "up"}, {"stream", stream}, {"max_tokens", 9}};
    if (format == guard::WireFormat::kOpenAiResponses) {
      body["input"] = text;
    } else {
      body["messages"] = {{{"role", "user"}, {"content", text}}};
    }
    auto request = std::make_shared<Request>();
    request->body = body.dump();
    request->headers = std::move(headers);
    request->values = std::move(values);
    request->id = "req_1";
    auto promise = std::make_shared<std::promise<Response>>();
    std::future<Response> future = promise->get_future();
    proxy_->Handle(
        format, request, [promise](Response response) { promise->set_value(std::move(response)); },
        false);
    return future;
  }
  Response Ask(const std::string& route, guard::WireFormat format, const std::string& text,
               bool stream = false) {
    std::vector<Header> headers;
    if (!route.empty()) {
      headers.push_back({kRouteHeader, route});
    }
    return Send(format, text, stream, std::move(headers)).get();
  }
  // What ends an exchange is told behind its answer.
  void AwaitLine(const std::string& text) {
    while (Lines().find(text) == std::string::npos) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  // All lines of the log so far, each with its end.
  std::string Lines() {
    const std::lock_guard lock(mutex_);
    std::string all;
    for (const std::string& line : lines_) {
      all += line + "\n";
    }
    return all;
  }

  FakeUpstream upstream;
  Metrics metrics;
  ProxyOptions settings;
  JudgingOptions judging;

 private:
  Judging& JudgingBy(moderation::Judge& judge) {
    const GoldenReader golden = [](std::string_view, const std::string&) {
      return std::vector<moderation::GoldenCase>();
    };
    shelves_.emplace_back(judge, shipped_, nullptr, golden);
    return judgings_.emplace_back(
        JudgingParts{judge, shelves_.back(), nullptr, metrics,
                     [] { return moderation::TimeMs{1'795'881'600'000}; }},
        judging);
  }

  const std::vector<ShippedPolicy> shipped_ = {Shipped("hate")};
  std::list<PolicyShelf> shelves_;
  std::list<Judging> judgings_;
  std::unique_ptr<Guarding> none_;
  std::vector<Guarding> routes_;
  std::mutex mutex_;
  std::vector<std::string> lines_;
  std::unique_ptr<Proxy> proxy_;
};

}  // namespace safeguard::http
