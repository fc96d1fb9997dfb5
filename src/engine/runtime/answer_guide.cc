#include "engine/runtime/answer_guide.h"

#include <algorithm>
#include <utility>

#include "engine/runtime/token_joints.h"

namespace safeguard::engine {
namespace {

// More is forced in the next round; keys and labels are far shorter.
constexpr std::size_t kRunBytesMax = 4096;
// Where more bytes than these may come next, the tokens are too many to be counted.
constexpr std::size_t kFewBytes = 24;

}  // namespace

const TokenMask& MaskCache::At(StateId state) {
  const auto it = masks_.find(state);
  if (it != masks_.end()) {
    return it->second;
  }
  if (masks_.size() >= kCachedMasksMax) {
    masks_.clear();
  }
  return masks_.emplace(state, trie_.Allowed(*automaton_, state)).first->second;
}

AnswerGuide::AnswerGuide(const GenerationRequest& request, const Vocabulary& vocabulary,
                         std::shared_ptr<MaskCache> masks)
    : request_(request), vocabulary_(vocabulary), masks_(std::move(masks)), mask_(0) {
  if (masks_ != nullptr) {
    state_ = masks_->automaton().start();
  }
  if (request.reasoning) {
    tracker_.emplace(request.reasoning->tokens);
    tracker_->Restart(request.prompt);
  }
  in_final_ = !tracker_ || tracker_->in_final();
}

std::vector<std::uint32_t> AnswerGuide::Forced() {
  if (script_at_ < request_.script.size()) {
    return {request_.script[script_at_]};
  }
  if (!in_final_) {
    const bool spent = reasoning_tokens_ >= request_.reasoning->tokens_max ||
                       tracker_->messages() >= request_.reasoning->messages_max;
    return spent ? tracker_->OpenFinal() : std::vector<std::uint32_t>{};
  }
  if (masks_ == nullptr) {
    return {};
  }
  Automaton& automaton = masks_->automaton();
  const Automaton::Run run = automaton.OnlyContinuation(state_, kRunBytesMax);
  if (run.bytes.empty()) {
    return {};
  }
  return ForcedTokens(vocabulary_, {text_, ids_, ends_}, run.bytes, automaton.NextBytes(run.end));
}

TokenFilter* AnswerGuide::filter() {
  return masks_ != nullptr && in_final_ ? this : nullptr;
}

bool AnswerGuide::IsStop(std::uint32_t id) const {
  return std::ranges::find(request_.stop_tokens, id) != request_.stop_tokens.end();
}

bool AnswerGuide::Allows(std::uint32_t id) {
  if (IsStop(id)) {
    return masks_->automaton().Accepts(state_);
  }
  const std::string_view bytes = vocabulary_.Bytes(id);
  return !bytes.empty() && masks_->automaton().Walk(state_, bytes) != kDeadState;
}

const TokenMask& AnswerGuide::Mask() {
  mask_ = masks_->At(state_);
  if (masks_->automaton().Accepts(state_)) {
    for (const std::uint32_t id : request_.stop_tokens) {
      mask_.Allow(id);
    }
  }
  return mask_;
}

bool AnswerGuide::Ends(std::uint32_t id) const {
  // A final message that ends is the end of the answer, whatever the model would say after it.
  return IsStop(id) || (tracker_ && in_final_ && id == request_.reasoning->tokens.end);
}

void AnswerGuide::Commit(std::uint32_t id) {
  if (script_at_ < request_.script.size()) {
    ++script_at_;
  }
  if (in_final_) {
    CommitFinal(id);
    return;
  }
  ++reasoning_tokens_;
  tracker_->Feed(id);
  in_final_ = tracker_->in_final();
}

void AnswerGuide::CommitFinal(std::uint32_t id) {
  const std::string_view bytes = vocabulary_.Bytes(id);
  text_ += bytes;
  ids_.push_back(id);
  ends_.push_back(text_.size());
  if (masks_ != nullptr && !Ends(id)) {
    state_ = bytes.empty() ? kDeadState : masks_->automaton().Walk(state_, bytes);
  }
}

bool AnswerGuide::complete() {
  return masks_ != nullptr && in_final_ && script_at_ >= request_.script.size() &&
         masks_->automaton().Accepts(state_) && masks_->automaton().NextBytes(state_).none();
}

Status AnswerGuide::status() const {
  if (masks_ == nullptr) {
    return {};
  }
  if (masks_->automaton().failed()) {
    return Automaton::Failure();
  }
  if (state_ == kDeadState) {
    return Fail(ErrorCode::kInvalidInput, "the script of the answer breaks its grammar",
                "leave the script to what comes before the final message");
  }
  return {};
}

std::vector<std::uint32_t> AnswerGuide::FewAllowed(std::size_t count_max) {
  std::vector<std::uint32_t> few;
  if (masks_ == nullptr || !in_final_ || script_at_ < request_.script.size() ||
      masks_->automaton().NextBytes(state_).count() > kFewBytes) {
    return few;
  }
  bool too_many = false;
  Mask().ForEach([&](std::uint32_t id) {
    too_many = too_many || few.size() == count_max;
    if (!too_many) {
      few.push_back(id);
    }
  });
  if (too_many) {
    few.clear();
  }
  return few;
}

std::optional<std::vector<std::string>> AnswerGuide::ReachedProbe() const {
  if (!request_.probe || probed_ || !in_final_) {
    return std::nullopt;
  }
  std::string text = text_;
  if (masks_ != nullptr) {
    text += masks_->automaton().OnlyContinuation(state_, kRunBytesMax).bytes;
  }
  const std::size_t at = text.find(request_.probe->after);
  if (at == std::string::npos) {
    return std::nullopt;
  }
  const std::string before = text.substr(0, at + request_.probe->after.size());
  std::vector<std::string> rests;
  for (const std::string& label : request_.probe->labels) {
    const std::string whole = before + label;
    rests.push_back(whole.starts_with(text_) ? whole.substr(text_.size()) : "");
  }
  return rests;
}

}  // namespace safeguard::engine
