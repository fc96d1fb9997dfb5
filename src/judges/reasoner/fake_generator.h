// For tests: a generator that answers what it is told to.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/generator.h"

namespace safeguard::judges::test {

class FakeGenerator final : public engine::Generator {
 public:
  std::function<engine::GenerationResult(const engine::GenerationRequest&)> answer;
  std::vector<engine::GenerationRequest> requests;
  std::vector<engine::RequestId> cancelled;
  bool full = false;  // refuses everything

  Result<engine::RequestId> Submit(engine::GenerationRequest request,
                                   std::function<void(engine::GenerationResult)> on_done) override {
    if (full) {
      return Fail(ErrorCode::kLimit, "the queue is full", "try again later");
    }
    requests.push_back(request);
    engine::GenerationResult result = answer(request);
    for (const engine::GeneratedToken& token : result.tokens) {
      if (request.on_token) {
        request.on_token(token);
      }
    }
    on_done(std::move(result));
    return engine::RequestId{requests.size()};
  }
  void Cancel(engine::RequestId id) override { cancelled.push_back(id); }
  engine::GenerationResult Run(engine::GenerationRequest request) override {
    return answer(request);
  }
  [[nodiscard]] engine::GeneratorCounters counters() const override { return {}; }
};

// An answer of `reasoning` in the analysis and `final` in the final channel, as ids.
inline engine::GenerationResult Answered(const engine::Bpe& bpe, const std::string& reasoning,
                                         const std::string& final) {
  engine::GenerationResult result;
  const auto push = [&result](std::uint32_t id) { result.tokens.push_back({id, false, {}, {}}); };
  const auto text = [&](const std::string& words) {
    for (const std::uint32_t id : bpe.Encode(words)) {
      push(id);
    }
  };
  push(200'005);
  text("analysis");
  push(200'008);
  text(reasoning);
  push(200'007);
  push(200'006);
  text("assistant");
  push(200'005);
  text("final");
  push(200'008);
  result.usage.reasoning_tokens = result.tokens.size();
  result.final_begin = result.tokens.size();
  text(final);
  result.final_end = result.tokens.size();
  result.final_opened = true;
  push(200'002);
  result.finish = engine::FinishReason::kStopToken;
  return result;
}

// A rank file of the 256 single bytes: every text is one token a byte.
inline std::string ByteRanks() {
  constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string file;
  for (unsigned byte = 0; byte < 256; ++byte) {
    file += std::string{alphabet[byte >> 2U], alphabet[(byte & 3U) << 4U]} +
            "== " + std::to_string(byte) + "\n";
  }
  return file;
}

}  // namespace safeguard::judges::test
