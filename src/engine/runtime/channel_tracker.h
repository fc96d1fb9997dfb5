// Where an answer stands in Harmony's messages, told by token ids alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/generator.h"

namespace safeguard::engine {

class ChannelTracker {
 public:
  explicit ChannelTracker(const ChannelTokens& tokens) : tokens_(tokens) {}

  // From the last message that `prompt` starts.
  void Restart(std::span<const std::uint32_t> prompt);
  void Feed(std::uint32_t id);

  // Inside the text of a message on the channel `final`.
  [[nodiscard]] bool in_final() const { return in_final_; }
  [[nodiscard]] std::size_t messages() const { return messages_; }  // opened since Restart

  // The ids that bring the answer from here to the text of a final message: the end of an open
  // message, then <|start|>assistant<|channel|>final<|message|>, or what is missing of it.
  // REQUIRES: not in_final().
  [[nodiscard]] std::vector<std::uint32_t> OpenFinal() const;

 private:
  enum class Place : std::uint8_t { kOutside, kHeader, kMessage };

  [[nodiscard]] bool HeaderIsFinal() const;

  ChannelTokens tokens_;
  Place place_ = Place::kOutside;
  std::vector<std::uint32_t> header_;  // behind <|start|>
  bool in_final_ = false;
  std::size_t messages_ = 0;
};

}  // namespace safeguard::engine
