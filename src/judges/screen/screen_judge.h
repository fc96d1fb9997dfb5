// Judge on top of a Screen: views of the content in, checked verdicts out.
#pragma once

#include <cstddef>
#include <memory>

#include "judges/screen/screen.h"
#include "moderation/judge.h"

namespace safeguard::judges {

class ScreenJudge : public moderation::Judge {
 public:
  ScreenJudge(std::unique_ptr<Screen> screen, std::size_t content_bytes_max);

  Result<std::shared_ptr<const moderation::PreparedPolicy>> Prepare(
      const moderation::Policy& policy, std::span<const moderation::GoldenCase> golden) override;
  std::vector<moderation::Verdict> Decide(
      std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
      std::span<const moderation::Content> contents) override;
  std::vector<moderation::Verdict> DecideUntil(
      std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
      std::span<const moderation::Content> contents, const moderation::StopSignal& stop) override;

 private:
  // The verdicts of some contents, scored together.
  void DecideBatch(std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
                   std::span<const moderation::Content> contents,
                   const moderation::StopSignal& stop, std::span<moderation::Verdict> verdicts);

  std::unique_ptr<Screen> screen_;
  std::size_t content_bytes_max_;
};

}  // namespace safeguard::judges
