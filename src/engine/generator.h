// Generation: many requests over one Forward, in one batch that requests join and leave between
// steps. Token ids in, tokens and scores out; knows no policy and no prompt text.
//
// What a request gets depends on the request alone: not on the batch, on how its prompt was cut
// into steps, or on what the prefix cache held. (Forward gives each row the same bits; sampling is
// keyed by seed and position.)
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/grammar.h"
#include "engine/sampling.h"
#include "engine/vocabulary.h"

namespace safeguard::engine {

class Forward;  // engine/model/forward.h

// The ids that mark messages and channels; the defaults are o200k_harmony's.
struct ChannelTokens {
  std::uint32_t start = 200'006;
  std::uint32_t end = 200'007;
  std::uint32_t message = 200'008;
  std::uint32_t channel = 200'005;
  std::uint32_t assistant = 173'781;
  std::uint32_t final = 17'196;  // the word in the header
};

// An answer in channels. Everything before the final message is reasoning: analysis, any number of
// messages, commentary. The state starts from the prompt's own tail, so a prompt that ends with an
// empty analysis and an open final message has no reasoning at all.
struct ReasoningLimits {
  ChannelTokens tokens = {};
  // Tokens before the final message opens, headers included. When they are spent, the ids that
  // close the open message and open the final one are forced.
  std::size_t tokens_max = 4096;
  std::size_t messages_max = 32;  // the same when so many messages have opened
};

// Log-probabilities of the labels that may stand at one place of the answer.
struct LabelProbe {
  // The place: behind the first `after` in the final message (in the answer, without
  // ReasoningLimits); empty: its very beginning. Choose text that free text before it cannot
  // hold: in JSON `"violation":`, because a quote inside a string is escaped.
  std::string after = {};
  // 1 to kProbeLabelsMax different texts, none empty, of at most kProbeLabelTokensMax tokens. A
  // label should end where a token surely ends: `1`, `spam"`.
  std::vector<std::string> labels = {};
  bool stop = false;  // end there: nothing is sampled
  // Only how the labels stand to each other is asked for: the unembedding is computed for their
  // rows alone, and LabelScores has no mass.
  bool relative = false;
};

inline constexpr std::size_t kProbeLabelsMax = 64;
inline constexpr std::size_t kProbeLabelTokensMax = 32;

// Of each label, in the order of the request: the model's log-probability of its canonical tokens,
// the sum over them, from the raw softmax. A label that is the beginning of another counts only
// where the longer one does not follow, so no two share probability.
struct LabelScores {
  // Natural; -infinity for one that cannot stand there. With LabelProbe::relative the first
  // token's softmax is over the labels' first tokens alone.
  std::vector<double> logprobs;
  std::vector<double> probabilities;  // over these labels only; sum to 1
  // Of all labels together in the model's distribution; none with LabelProbe::relative.
  std::optional<double> mass;
  // log(p / (1 - p)) of label i among these labels.
  [[nodiscard]] double LogOdds(std::size_t i) const;
  friend bool operator==(const LabelScores&, const LabelScores&) = default;
};

// Interactive requests go before batch requests: in the queue, for places in the batch (the
// youngest batch request gives up its place and is computed again later) and for prefill.
enum class Priority : std::uint8_t { kInteractive, kBatch };

struct GenerationRequest {
  std::vector<std::uint32_t> prompt;  // at least one token
  // Ascending lengths of beginnings of the prompt that others share (the end of the policy's
  // message). The first request that computes one leaves it in the prefix cache.
  std::vector<std::size_t> prefix_ends;
  // Prefixes are shared only between requests with the same salt: another's timing tells nothing.
  std::string prefix_salt;
  std::string tenant;  // who asks: tenants that wait share the engine evenly
  Priority priority = Priority::kInteractive;
  std::vector<std::uint32_t> script;  // the answer's first tokens, forced
  SamplingSettings sampling;
  std::vector<std::uint32_t> stop_tokens = {200'002, 200'012};
  std::size_t tokens_max = 2048;  // of the answer, forced ones included
  std::optional<std::chrono::steady_clock::duration> time_max;  // from Submit
  std::optional<ReasoningLimits> reasoning;
  // Of the final message; without ReasoningLimits of the whole answer.
  std::shared_ptr<const Grammar> grammar;
  std::optional<LabelProbe> probe;
  // Called in order, on the engine's thread, as each token is known. Must not block or call back.
  std::function<void(const GeneratedToken&)> on_token;
};

enum class FinishReason : std::uint8_t {
  kStopToken,        // the model ended the answer
  kGrammarComplete,  // the grammar allows nothing more
  kProbed,           // LabelProbe::stop
  kTokenLimit,
  kTimeLimit,
  kCancelled,
  kError,
};

const char* ToString(FinishReason reason);

struct GenerationUsage {
  std::size_t prompt_tokens = 0;
  std::size_t cached_tokens = 0;  // of the prompt, taken from the prefix cache
  std::size_t sampled_tokens = 0;
  std::size_t forced_tokens = 0;
  std::size_t drafted_tokens = 0;    // guessed from the request's own text
  std::size_t accepted_tokens = 0;   // of the drafted ones: sampled just so
  std::size_t preemptions = 0;       // times it gave up its place and was computed again
  std::size_t reasoning_tokens = 0;  // of the answer, before the final message
};

struct GenerationTimings {
  std::chrono::steady_clock::duration queued{};
  std::chrono::steady_clock::duration prefill{};  // until the first logits
  std::chrono::steady_clock::duration decode{};
};

struct GenerationResult {
  FinishReason finish = FinishReason::kError;
  std::optional<Error> error;          // for kError
  std::vector<GeneratedToken> tokens;  // the stop token included
  // tokens[final_begin, final_end) are the final message's text; both 0 when it never opened.
  std::size_t final_begin = 0;
  std::size_t final_end = 0;
  bool final_opened = false;
  std::optional<LabelScores> scores;
  GenerationUsage usage;
  GenerationTimings timings;

  [[nodiscard]] std::vector<std::uint32_t> FinalIds() const;
};

// Prompt-lookup drafts: what followed the last tokens where they stood before, in the prompt or in
// the answer. Each is verified by the row before it and kept only when exactly that token was
// chosen, so answers are the same with and without. They cost rows in a step, which are cheap only
// while the step waits for memory.
struct DraftSettings {
  enum class Mode : std::uint8_t {
    kOff,
    kAuto,    // where the batch is large enough and the request's guesses have been right
    kAlways,  // wherever there is a guess
  };
  Mode mode = Mode::kAuto;
  std::size_t tokens_max = 4;  // of one request in one step; at most kRewindMax
  // Of kAuto: requests that decode, from which on drafts are made, and the rows of logits in one
  // step, up to which they are.
  std::size_t batch_min = 8;
  std::size_t rows_max = 48;
};

struct GeneratorSettings {
  std::size_t sequences_max = 64;     // in one batch
  std::size_t step_tokens_max = 512;  // of one step; at least sequences_max
  // Prefill of batch requests in a step that an interactive request is in: what bounds its wait.
  std::size_t batch_step_tokens_max = 128;
  std::size_t queue_max = 1024;                        // waiting requests; one more is kLimit
  std::size_t cache_bytes_max = std::size_t{8} << 30;  // of keys and values; above, prefixes go
  std::size_t prefixes_max = 256;
  // Prefixes are kept on disk too, under the model's fingerprint; empty: they are not. What
  // happens there that a user should know is told to `on_note`, on a thread of the generator.
  std::string prefix_folder;
  std::string prefix_model;                                        // names the model's weights
  std::uint64_t prefix_folder_bytes_max = std::uint64_t{4} << 30;  // above, the oldest files go
  std::function<void(const std::string&)> on_note;
  // A batch request that has waited so long counts as interactive, while an eighth of the places at
  // most is taken by batch requests.
  std::chrono::steady_clock::duration batch_wait_max = std::chrono::seconds(60);
  std::map<std::string, double> tenant_weights;  // of the shares; 1 for who is not named
  DraftSettings drafts;
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

// Since the start, except where a line says now.
struct GeneratorCounters {
  std::uint64_t steps = 0;
  std::uint64_t tokens = 0;           // through Forward
  std::uint64_t expert_reads = 0;     // as Forward::ExpertReads
  std::uint64_t prompt_tokens = 0;    // of them: prompts, and answers computed again
  std::uint64_t rows = 0;             // of logits
  std::uint64_t restricted_rows = 0;  // of them: only those that could be chosen
  std::uint64_t forced_runs = 0;
  std::uint64_t forced_tokens = 0;
  std::uint64_t drafted = 0;
  std::uint64_t accepted = 0;
  std::uint64_t probes = 0;
  std::uint64_t probe_steps = 0;  // steps of their own that labels of several tokens took
  std::uint64_t preemptions = 0;
  std::uint64_t prefix_hits = 0;
  std::uint64_t prefix_misses = 0;
  std::uint64_t prefix_evictions = 0;
  std::uint64_t prefix_loads = 0;   // from disk
  std::uint64_t prefix_stores = 0;  // to disk
  std::uint64_t ended = 0;
  std::size_t active = 0;    // now
  std::size_t queued = 0;    // now
  std::size_t prefixes = 0;  // now, in memory
  // Of the last requests that were admitted, how long they waited.
  std::chrono::steady_clock::duration queued_median{};
  std::chrono::steady_clock::duration queued_p95{};
};

enum class RequestId : std::uint64_t {};

// One thread of its own drives Forward; every method may be called from any thread.
class Generator {
 public:
  // `forward` and `vocabulary` must outlive the result; nobody else may use `forward`.
  // kInvalidInput for settings that cannot work.
  static Result<std::unique_ptr<Generator>> Create(Forward& forward, const Vocabulary& vocabulary,
                                                   GeneratorSettings settings);
  // Running requests end as kCancelled.
  virtual ~Generator() = default;

  // `on_done` is called once, on the engine's thread. kInvalidInput: the request cannot be run, and
  // says why; kLimit: the queue is full, or the request could need more memory than there is.
  virtual Result<RequestId> Submit(GenerationRequest request,
                                   std::function<void(GenerationResult)> on_done) = 0;
  // Takes effect between tokens. A request that has ended is left alone.
  virtual void Cancel(RequestId id) = 0;
  // Submit and wait. What Submit refuses is a result with kError.
  virtual GenerationResult Run(GenerationRequest request) = 0;
  [[nodiscard]] virtual GeneratorCounters counters() const = 0;
};

}  // namespace safeguard::engine
