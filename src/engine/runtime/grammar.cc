#include "engine/grammar.h"

#include <mutex>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "engine/runtime/automaton.h"
#include "engine/runtime/characters.h"
#include "engine/runtime/json_schema.h"
#include "engine/runtime/regex_parser.h"

namespace safeguard::engine {
namespace {

// A source may take a quarter of the room; the rest is for the states that answers will need.
constexpr std::size_t kGrammarNodesMax = kExpressionNodesMax / 4;

class CompiledGrammar final : public Grammar {
 public:
  CompiledGrammar(ExpressionArena arena, ExpressionId start)
      : arena_(std::move(arena)),
        start_(start),
        automaton_(std::make_shared<Automaton>(arena_, start_)) {}

  [[nodiscard]] Result<bool> Matches(std::string_view text) const override {
    const std::shared_ptr<Automaton> running = automaton();
    const StateId end = running->Walk(running->start(), text);
    if (running->failed()) {
      return Automaton::Failure();
    }
    return end != kDeadState && running->Accepts(end);
  }

  [[nodiscard]] std::shared_ptr<Automaton> automaton() const override {
    const std::lock_guard lock(mutex_);
    if (automaton_->failed() || automaton_->used() > 0.5) {
      automaton_ = std::make_shared<Automaton>(arena_, start_);
    }
    return automaton_;
  }

 private:
  const ExpressionArena arena_;  // as compiled: what a fresh automaton starts from
  const ExpressionId start_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<Automaton> automaton_;  // guarded by mutex_
};

Result<std::shared_ptr<const Grammar>> Compile(ExpressionArena arena, ExpressionId start) {
  if (arena.over_limit()) {
    return Fail(ErrorCode::kLimit, "the grammar is too large", "make it simpler");
  }
  arena.set_nodes_max(kExpressionNodesMax);
  auto grammar = std::make_shared<CompiledGrammar>(std::move(arena), start);
  const std::shared_ptr<Automaton> automaton = grammar->automaton();
  if (automaton->failed()) {
    return Automaton::Failure();
  }
  if (automaton->start() == kDeadState) {
    return Fail(ErrorCode::kInvalidInput, "no answer can satisfy the grammar",
                "look for a minimum above its maximum or a pattern that maxLength cuts short");
  }
  return grammar;
}

}  // namespace

Result<std::shared_ptr<const Grammar>> Grammar::FromJsonSchema(std::string_view schema,
                                                               JsonLayout layout) {
  ExpressionArena arena(kGrammarNodesMax);
  const Result<ExpressionId> start = ParseJsonSchema(arena, schema, layout);
  if (!start) {
    return std::unexpected(start.error());
  }
  return Compile(std::move(arena), *start);
}

Result<std::shared_ptr<const Grammar>> Grammar::FromChoice(std::span<const std::string> labels) {
  if (labels.empty() || labels.size() > kChoicesMax) {
    return Fail(ErrorCode::kInvalidInput, std::to_string(labels.size()) + " labels to choose from",
                "give 1 to " + std::to_string(kChoicesMax));
  }
  ExpressionArena arena(kGrammarNodesMax);
  std::vector<ExpressionId> parts;
  std::size_t bytes = 0;
  for (const std::string& label : labels) {
    bytes += label.size();
    if (label.empty() || FirstInvalidUtf8(label) || bytes > kChoiceBytesMax) {
      return Fail(ErrorCode::kInvalidInput, "a label is empty, not UTF-8, or the labels too long",
                  "at most " + std::to_string(kChoiceBytesMax) + " bytes together");
    }
    parts.push_back(SpellText(arena, label, Spelling::kPlain));
  }
  const ExpressionId start = arena.Alternatives(std::move(parts));
  return Compile(std::move(arena), start);
}

Result<std::shared_ptr<const Grammar>> Grammar::FromRegex(std::string_view pattern) {
  ExpressionArena arena(kGrammarNodesMax);
  const Result<ExpressionId> start =
      ParseRegex(arena, pattern, Spelling::kPlain, RegexMatch::kWhole);
  if (!start) {
    return std::unexpected(start.error());
  }
  return Compile(std::move(arena), *start);
}

}  // namespace safeguard::engine
