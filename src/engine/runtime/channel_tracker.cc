#include "engine/runtime/channel_tracker.h"

#include <algorithm>

#include "base/check.h"

namespace safeguard::engine {
namespace {

// A header is some ten tokens; a model that never closes one must not fill memory.
constexpr std::size_t kHeaderTokensMax = 256;

}  // namespace

void ChannelTracker::Restart(std::span<const std::uint32_t> prompt) {
  *this = ChannelTracker(tokens_);
  std::size_t begin = prompt.size();
  while (begin > 0 && prompt[begin - 1] != tokens_.start) {
    --begin;
  }
  for (std::size_t i = begin == 0 ? prompt.size() : begin - 1; i < prompt.size(); ++i) {
    Feed(prompt[i]);
  }
  messages_ = 0;
}

// The channel is the first token behind <|channel|>; " <|constrain|>json" may follow it.
bool ChannelTracker::HeaderIsFinal() const {
  const auto channel = std::ranges::find(header_, tokens_.channel);
  return channel != header_.end() && channel + 1 != header_.end() &&
         *(channel + 1) == tokens_.final;
}

void ChannelTracker::Feed(std::uint32_t id) {
  if (id == tokens_.start) {
    place_ = Place::kHeader;
    header_.clear();
    in_final_ = false;
  } else if (id == tokens_.end) {
    place_ = Place::kOutside;
    in_final_ = false;
  } else if (place_ == Place::kHeader && id == tokens_.message) {
    place_ = Place::kMessage;
    in_final_ = HeaderIsFinal();
    ++messages_;
  } else if (place_ == Place::kHeader && header_.size() < kHeaderTokensMax) {
    header_.push_back(id);
  }
}

std::vector<std::uint32_t> ChannelTracker::OpenFinal() const {
  CHECK(!in_final_);
  std::vector<std::uint32_t> opening{tokens_.start, tokens_.assistant, tokens_.channel,
                                     tokens_.final, tokens_.message};
  std::vector<std::uint32_t> ids;
  if (place_ == Place::kOutside) {
    return opening;
  }
  if (place_ == Place::kHeader) {
    // <|start|> is written; go on from the header when it is the beginning of the one we need.
    const bool fits = header_.size() + 2 <= opening.size() &&
                      std::equal(header_.begin(), header_.end(), opening.begin() + 1);
    if (fits) {
      return {opening.begin() + 1 + static_cast<std::ptrdiff_t>(header_.size()), opening.end()};
    }
    ids.push_back(tokens_.message);
    if (HeaderIsFinal()) {
      return ids;
    }
    // What was written names another channel: its message stays empty.
  }
  ids.push_back(tokens_.end);
  for (const std::uint32_t id : opening) {
    ids.push_back(id);
  }
  return ids;
}

}  // namespace safeguard::engine
