#include "http/guard/run_stream.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace safeguard::guard {

void Carry(StreamGuard& guard, Step step, WindowScorer& fast, WindowScorer* slow, Duration now,
           StreamOutput& output) {
  std::deque<ScoreRequest> requests;
  const auto take = [&](Step taken) {
    output.released += taken.release;
    std::ranges::move(taken.events, std::back_inserter(output.events));
    for (ScoreRequest& request : taken.ask) {
      // A doubt is settled before later windows are looked at.
      const bool first = request.kind == AskKind::kPrefix;
      requests.insert(first ? requests.begin() : requests.end(), std::move(request));
    }
  };
  take(std::move(step));
  while (!requests.empty()) {
    ScoreRequest request = std::move(requests.front());
    requests.pop_front();
    CHECK(request.kind != AskKind::kPrefix || slow != nullptr);
    WindowScorer& scorer = request.kind == AskKind::kPrefix ? *slow : fast;
    ++output.asked;
    scorer.Score(std::move(request), [&](std::uint64_t id, const WindowScore& score) {
      take(guard.Scored(id, score, now));
    });
  }
}

StreamOutput RunStream(StreamGuard& guard, std::string_view bytes, std::size_t chunk,
                       WindowScorer& fast, WindowScorer* slow) {
  StreamOutput output;
  const std::size_t size = chunk == 0 ? std::max<std::size_t>(bytes.size(), 1) : chunk;
  for (std::size_t at = 0; at < bytes.size() && !guard.ended(); at += size) {
    Carry(guard, guard.Feed(bytes.substr(at, size), Duration::zero()), fast, slow, Duration::zero(),
          output);
  }
  Carry(guard, guard.Finish(false, Duration::zero()), fast, slow, Duration::zero(), output);
  return output;
}

}  // namespace safeguard::guard
