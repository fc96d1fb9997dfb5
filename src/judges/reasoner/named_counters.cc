#include "judges/reasoner/named_counters.h"

#include <chrono>

namespace safeguard::judges {
namespace {

double Milliseconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

std::vector<std::pair<std::string, double>> NamedCounters(
    const engine::GeneratorCounters& counters) {
  const auto number = [](auto count) { return static_cast<double>(count); };
  return {{"requests", number(counters.ended)},
          {"steps", number(counters.steps)},
          {"tokens", number(counters.tokens)},
          {"prompt_tokens", number(counters.prompt_tokens)},
          {"logit_rows", number(counters.rows)},
          {"logit_rows_restricted", number(counters.restricted_rows)},
          {"forced_runs", number(counters.forced_runs)},
          {"forced_tokens", number(counters.forced_tokens)},
          {"drafted_tokens", number(counters.drafted)},
          {"accepted_tokens", number(counters.accepted)},
          {"probes", number(counters.probes)},
          {"probe_steps", number(counters.probe_steps)},
          {"preemptions", number(counters.preemptions)},
          {"prefix_hits", number(counters.prefix_hits)},
          {"prefix_misses", number(counters.prefix_misses)},
          {"prefix_evictions", number(counters.prefix_evictions)},
          {"prefix_disk_loads", number(counters.prefix_loads)},
          {"prefix_disk_stores", number(counters.prefix_stores)},
          {"queued_ms_median", Milliseconds(counters.queued_median)},
          {"queued_ms_p95", Milliseconds(counters.queued_p95)}};
}

}  // namespace safeguard::judges
