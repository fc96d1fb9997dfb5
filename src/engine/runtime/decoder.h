// What rows of logits make of a request: probes, sampling, forced runs, and which of its drafted
// tokens were right. Used by the engine's thread only.
//
// The answer is one list of tokens, each certain once it is in RequestState::result. A step feeds
// the certain tokens that are pending and, behind them, drafted ones; each row is read only while
// all tokens before it are the answer's. So a draft can cost time and nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/model/forward.h"
#include "engine/runtime/label_scores.h"
#include "engine/runtime/request_state.h"
#include "engine/runtime/sampler.h"

namespace safeguard::engine {

// From so few tokens that can be chosen on, only their rows of the unembedding are computed.
inline constexpr std::size_t kFewRowsMax = 256;

class Decoder {
 public:
  // `counters` gets what happens here.
  Decoder(Forward& forward, const Vocabulary& vocabulary, const GeneratorSettings& settings,
          GeneratorCounters& counters);

  // Appends what is certain from here on without the model.
  void AppendForced(RequestState& request);

  // The ids whose logits decide what follows the pending tokens; empty: all.
  std::vector<std::uint32_t> RowsNeeded(RequestState& request);

  // Reads the rows behind the pending tokens and behind each drafted one, all of which are in the
  // sequence now; leaves the sequence with certain tokens only.
  void Read(RequestState& request, std::span<const float> logits,
            std::span<const std::uint32_t> rows);
  // Requests whose probes have labels of several tokens wait here until their forks were fed, many
  // in one step. REQUIRES: what was given to Read is still there. Those that memory was too little
  // for are RequestState::starved: their row must be computed again.
  void ScoreWaiting();

 private:
  // A request whose rows are being read.
  struct Reading {
    RequestState* request;
    std::span<const float> logits;
    std::span<const std::uint32_t> rows;
    std::size_t position = 0;  // in the sequence, of what the first row chooses
    std::size_t row = 0;       // that is read next; so many drafted tokens were right
  };
  struct Fork {
    Reading* reading;
    std::size_t path;
    SequenceId sequence;
  };
  enum class Place { kEnded, kWaits, kGoesOn };

  void Continue(Reading& reading);
  Place ReadProbe(Reading& reading);
  Place FinishProbe(RequestState& request);
  bool Choose(Reading& reading);
  bool CommitToken(RequestState& request, GeneratedToken token);
  LabelReading* ProbeOf(RequestState& request);
  void Rewind(const Reading& reading);
  [[nodiscard]] LogitsRow RowOf(const Reading& reading) const;
  void FeedForks(std::span<Fork> forks);

  Forward& forward_;
  const Vocabulary& vocabulary_;
  const GeneratorSettings& settings_;
  GeneratorCounters& counters_;
  Sampler sampler_;
  std::vector<Reading> waiting_;
  std::vector<float> fork_logits_;
};

}  // namespace safeguard::engine
