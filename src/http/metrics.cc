#include "http/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <utility>
#include <vector>

namespace safeguard::http {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using prometheus::Counter;
using prometheus::Family;
using prometheus::Histogram;

const Histogram::BucketBoundaries kSeconds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                              0.1,    0.25,  0.5,    1,     2.5,  5,     10};
const Histogram::BucketBoundaries kContents = {1, 2, 4, 8, 16, 32, 64, 128, 256};

Family<Counter>& CounterFamily(prometheus::Registry& registry, const char* name, const char* help) {
  return BuildCounter().Name(name).Help(help).Register(registry);
}

prometheus::MetricFamily FamilyOf(const MetricSeries& series) {
  prometheus::MetricFamily family;
  family.name = series.name;
  family.help = series.help;
  family.type = series.counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
  for (const MetricSeries::Sample& sample : series.samples) {
    prometheus::ClientMetric& metric = family.metric.emplace_back();
    for (const auto& [name, value] : sample.labels) {
      metric.label.push_back({name, value});
    }
    (series.counter ? metric.counter.value : metric.gauge.value) = sample.value;
  }
  return family;
}

}  // namespace

struct Metrics::State {
  prometheus::Registry registry;
  Family<Counter>& requests =
      CounterFamily(registry, "safeguard_http_requests_total", "Requests answered");
  Family<Histogram>& request_seconds = BuildHistogram()
                                           .Name("safeguard_http_request_seconds")
                                           .Help("From the end of a request to its answer")
                                           .Register(registry);
  Family<Counter>& verdicts = CounterFamily(registry, "safety_verdicts_total", "Verdicts reached");
  Family<Counter>& undetermined =
      CounterFamily(registry, "safety_undetermined_total", "Undetermined verdicts by reason");
  Counter& unscanned =
      CounterFamily(registry, "safety_unscanned_total",
                    "Contents answered without any layer having looked at them: alarm above 0")
          .Add({});
  Family<Counter>& guarded = CounterFamily(registry, "safeguard_guarded_total",
                                           "Exchanges with the upstream, by their end");
  Family<Counter>& fail_modes =
      CounterFamily(registry, "safeguard_fail_modes_total",
                    "Exchanges with the upstream in which a fail mode has acted");
  Family<Counter>& disagreements =
      CounterFamily(registry, "safety_shadow_disagreements_total",
                    "Shadow verdicts with another outcome than the version that answered");
  Family<Counter>& refused =
      CounterFamily(registry, "safeguard_http_refused_total", "Requests refused, by reason");
  Histogram& batch_contents = BuildHistogram()
                                  .Name("safeguard_judge_batch_contents")
                                  .Help("Contents judged in one call")
                                  .Register(registry)
                                  .Add({}, kContents);
  Histogram& batch_seconds = BuildHistogram()
                                 .Name("safeguard_judge_batch_seconds")
                                 .Help("Time of one call of the judge")
                                 .Register(registry)
                                 .Add({}, kSeconds);
  std::vector<std::function<void()>> gauges;  // each reads its values
  std::vector<std::function<std::vector<MetricSeries>()>> series;
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

void Metrics::CountRequest(const std::string& route, const std::string& method, int status,
                           double seconds) {
  state_->requests.Add({{"route", route}, {"method", method}, {"status", std::to_string(status)}})
      .Increment();
  state_->request_seconds.Add({{"route", route}}, kSeconds).Observe(seconds);
}

void Metrics::CountVerdict(const moderation::Verdict& verdict, moderation::Channel channel) {
  state_->verdicts
      .Add({{"policy", verdict.policy.id},
            {"version", verdict.policy.version},
            {"verdict", ToString(verdict.outcome)},
            {"layer", verdict.decided_by.layer},
            {"channel", ToString(channel)}})
      .Increment();
  if (verdict.outcome == moderation::Outcome::kUndetermined) {
    state_->undetermined.Add({{"reason", ToString(verdict.reason)}}).Increment();
  }
}

void Metrics::CountUnscanned(std::size_t contents) {
  state_->unscanned.Increment(static_cast<double>(contents));
}

void Metrics::CountGuarded(const std::string& route, const std::string& state) {
  state_->guarded.Add({{"route", route}, {"state", state}}).Increment();
}

void Metrics::CountFailMode(const std::string& route, const std::string& side,
                            const std::string& mode) {
  state_->fail_modes.Add({{"route", route}, {"side", side}, {"mode", mode}}).Increment();
}

void Metrics::CountShadowDisagreement(const std::string& policy, const std::string& version) {
  state_->disagreements.Add({{"policy", policy}, {"version", version}}).Increment();
}

void Metrics::ObserveBatch(std::size_t contents, double seconds) {
  state_->batch_contents.Observe(static_cast<double>(contents));
  state_->batch_seconds.Observe(seconds);
}

void Metrics::CountRefused(const std::string& why) {
  state_->refused.Add({{"why", why}}).Increment();
}

void Metrics::SetGauge(const std::string& name, const std::string& help,
                       std::function<double()> read) {
  prometheus::Gauge& gauge = BuildGauge().Name(name).Help(help).Register(state_->registry).Add({});
  state_->gauges.emplace_back([&gauge, read = std::move(read)] { gauge.Set(read()); });
}

void Metrics::SetGauges(const std::string& name, const std::string& help, const std::string& label,
                        std::function<std::map<std::string, double>()> read) {
  auto& family = BuildGauge().Name(name).Help(help).Register(state_->registry);
  state_->gauges.emplace_back([&family, label, read = std::move(read)] {
    for (const auto& [value, count] : read()) {
      family.Add({{label, value}}).Set(count);
    }
  });
}

void Metrics::AddSeries(std::function<std::vector<MetricSeries>()> read) {
  state_->series.push_back(std::move(read));
}

std::string Metrics::Text() {
  for (const auto& read : state_->gauges) {
    read();
  }
  std::vector<prometheus::MetricFamily> families = state_->registry.Collect();
  for (const auto& read : state_->series) {
    for (const MetricSeries& series : read()) {
      families.push_back(FamilyOf(series));
    }
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace safeguard::http
