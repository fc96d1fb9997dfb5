// What the service counts, in Prometheus' text format. Thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "moderation/verdict.h"
#include "moderation/verdict_log.h"

namespace safeguard::http {

// Values of one metric, each under its labels.
struct MetricSeries {
  struct Sample {
    std::map<std::string, std::string> labels;
    double value = 0;
  };
  std::string name;
  std::string help;
  bool counter = false;  // it never falls; else a gauge
  std::vector<Sample> samples;
};

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // `route` is the pattern ("/v1/policies/{id}"), so that the number of series is bounded.
  void CountRequest(const std::string& route, const std::string& method, int status,
                    double seconds);
  // safety_verdicts_total{policy,version,verdict,layer,channel}; of kUndetermined also
  // safety_undetermined_total{reason}.
  void CountVerdict(const moderation::Verdict& verdict, moderation::Channel channel);
  // A content that was given back undecided because nothing looked at it in time.
  void CountUnscanned(std::size_t contents);
  // An exchange of the guarding proxy has ended. `route`: empty for none; `state`: as its line in
  // the log says.
  void CountGuarded(const std::string& route, const std::string& state);
  // A fail mode has acted in one: "input" or "output"; "closed", "open" or "degrade".
  void CountFailMode(const std::string& route, const std::string& side, const std::string& mode);
  void CountShadowDisagreement(const std::string& policy, const std::string& version);
  void ObserveBatch(std::size_t contents, double seconds);
  void CountRefused(const std::string& why);  // "queue", "quota", "key", "scope"
  // Read when Text() is called: contents waiting, connections open.
  void SetGauge(const std::string& name, const std::string& help, std::function<double()> read);
  // Likewise, a value for each value of one label: jobs of each tenant. One that is not there any
  // more keeps its last value.
  void SetGauges(const std::string& name, const std::string& help, const std::string& label,
                 std::function<std::map<std::string, double>()> read);

  // What `read` gives when Text() is called, as it stands then. Its names are no other's.
  void AddSeries(std::function<std::vector<MetricSeries>()> read);

  [[nodiscard]] std::string Text();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace safeguard::http
