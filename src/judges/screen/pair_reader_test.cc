#include "judges/screen/pair_reader.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace safeguard::judges {
namespace {

TEST(WindowsOf, HoldEveryTokenAndOverlapAndAreAsFewAsCanBe) {
  rc::check([] {
    const auto tokens = *rc::gen::inRange<std::size_t>(0, 5000);
    const auto window = *rc::gen::inRange<std::size_t>(2, 200);
    const auto overlap = *rc::gen::inRange<std::size_t>(0, window - 1);
    const std::vector<TokenSpan> windows = WindowsOf(tokens, window, overlap);
    if (tokens <= window) {
      RC_ASSERT(windows.size() == (tokens == 0 ? 0U : 1U));
    }
    if (windows.empty()) {
      return;
    }
    RC_ASSERT(windows.front().begin == 0U);
    RC_ASSERT(windows.back().end == tokens);
    for (std::size_t i = 0; i < windows.size(); ++i) {
      RC_ASSERT(windows[i].end - windows[i].begin == std::min(tokens, window));
      RC_ASSERT(i == 0 || windows[i].begin + overlap <= windows[i - 1].end);
      RC_ASSERT(i == 0 || windows[i].begin > windows[i - 1].begin);
    }
    // One less could not reach the end.
    RC_ASSERT(windows.size() == 1 || window + (windows.size() - 2) * (window - overlap) < tokens);
  });
}

}  // namespace
}  // namespace safeguard::judges
