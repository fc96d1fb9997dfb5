// The Forward interface: one step of the network over new tokens of many sequences. All that the
// runtime knows of a device. cpu/ and cuda/ implement it.
//
// A sequence is its keys and values, in pages that are shared by reference: Fork costs no copy of
// whole pages, and a prefix that several sequences share is stored once. Sliding layers keep only
// the pages that their window can still reach.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/model/gpt_oss_config.h"

namespace safeguard::engine {

// Opaque; never 0 and never given twice by the same Forward.
enum class SequenceId : std::uint64_t {};

// Tokens at the end of a sequence that can always be forgotten again.
inline constexpr std::size_t kRewindMax = 64;

// New tokens of one sequence, appended at its end.
struct SequenceStep {
  SequenceId sequence{};
  std::span<const std::uint32_t> tokens;  // at least one, each below the vocabulary
  // Logits are made for the last `logits` of the tokens (0: none).
  std::size_t logits = 0;
  // The vocabulary ids whose logits are wanted, rising, each once; empty: all. Where few can be
  // chosen, the others' weights are never read.
  std::span<const std::uint32_t> rows = {};

  // Floats that one row of this step's logits has.
  [[nodiscard]] std::size_t RowFloats(std::size_t vocabulary) const {
    return rows.empty() ? vocabulary : rows.size();
  }
};

// Called by one thread at a time. For one instruction set a row of logits has the same bits
// whatever else is in the batch, however its sequence was cut into steps, forked or threaded.
class Forward {
 public:
  Forward() = default;
  Forward(const Forward&) = delete;
  Forward& operator=(const Forward&) = delete;
  virtual ~Forward() = default;

  // An empty sequence.
  virtual SequenceId NewSequence() = 0;
  // A sequence with the same tokens so far; the two grow apart. REQUIRES: `from` is alive.
  virtual SequenceId Fork(SequenceId from) = 0;
  // Frees the pages that no other sequence shares. REQUIRES: alive.
  virtual void Drop(SequenceId sequence) = 0;
  // Tokens in the sequence. REQUIRES: alive.
  [[nodiscard]] virtual std::size_t Length(SequenceId sequence) const = 0;

  // Appends every step's tokens and writes the wanted logits, in the order of `steps`, one row of
  // RowFloats(config().vocabulary) floats each; a number of a restricted row has the bits that it
  // has in the whole one. REQUIRES: the sequences are alive and differ; `logits` has the sum of
  // steps' rows; `rows` rise and lie below the vocabulary. A sequence that would pass context_max,
  // a token outside the vocabulary or memory over the limit: an error, and no sequence has changed.
  virtual Status Step(std::span<const SequenceStep> steps, std::span<float> logits) = 0;

  // Forgets all tokens but the first `length`; what follows is as if they had never been there.
  // Always possible for the last kRewindMax tokens of the longest that the sequence ever was;
  // further back sliding layers may have lost what they would need: kInvalidInput, and nothing has
  // changed. REQUIRES: alive, length <= Length(sequence).
  virtual Status Truncate(SequenceId sequence, std::size_t length) = 0;

  // A sequence as bytes, for keeping a policy's prefix on disk, and back. Import takes bytes that a
  // Forward of the same model, kernels and precision exported: the continuation has the same bits.
  // The bytes name shape, kernels and precision and carry a digest, but not the weights: keep them
  // under the model's hash. Foreign or damaged bytes: kInvalidInput. Over the limit of memory or
  // context: kLimit. REQUIRES: alive.
  virtual Result<std::vector<std::byte>> Export(SequenceId sequence) = 0;
  virtual Result<SequenceId> Import(std::span<const std::byte> bytes) = 0;

  // At most so many bytes of pages does a sequence of `tokens` tokens hold that shares none, after
  // steps of at most `step` tokens each and, unless `step` is 0, during them. Never less for more
  // tokens. May be called from any thread.
  [[nodiscard]] virtual std::size_t BytesFor(std::size_t tokens, std::size_t step) const = 0;
  // Names what the bits of a sequence depend on besides weights and tokens: kernels, precision.
  [[nodiscard]] virtual std::string Numerics() const = 0;
  // How often an expert's weights were read by all steps so far: once a layer and step for every
  // expert that some row goes to. What does not count them says 0.
  [[nodiscard]] virtual std::uint64_t ExpertReads() const { return 0; }
  // Bytes of key and value pages in use.
  [[nodiscard]] virtual std::size_t CacheBytes() const = 0;
  [[nodiscard]] virtual const GptOssConfig& config() const = 0;
};

}  // namespace safeguard::engine
