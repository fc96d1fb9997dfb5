#include "apps/input/token_ids.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "apps/output/display_text.h"
#include "base/file.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kFileBytesMax = 16 << 20;
constexpr std::string_view kBetween = ", \t\r\n";
constexpr std::size_t kShownMax = 40;

}  // namespace

Result<std::vector<std::uint32_t>> ReadTokenIds(const std::string& argument, std::size_t vocabulary,
                                                std::size_t count_max) {
  std::string text = argument;
  if (argument.starts_with('@')) {
    Result<std::string> file = ReadFile(argument.substr(1), kFileBytesMax);
    if (!file) {
      return std::unexpected(std::move(file.error()));
    }
    text = std::move(*file);
  }
  std::vector<std::uint32_t> ids;
  const std::string_view all = text;
  for (std::size_t begin = all.find_first_not_of(kBetween); begin != std::string_view::npos;) {
    const std::size_t end = std::min(all.find_first_of(kBetween, begin), all.size());
    const std::string_view word = all.substr(begin, end - begin);
    std::uint32_t id = 0;
    const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), id);
    if (error != std::errc() || stop != word.data() + word.size()) {
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("--ids: number {} is '{}', which is no token id", ids.size() + 1,
                              Printable(std::string(word.substr(0, kShownMax)))),
                  "write ids like 1,2,3, or @FILE for a file that lists them");
    }
    if (id >= vocabulary) {
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("--ids: number {} is {}, but this model's ids end at {}",
                              ids.size() + 1, id, vocabulary - 1));
    }
    if (ids.size() == count_max) {
      return Fail(
          ErrorCode::kLimit,
          fmt::format("--ids: more than the {} tokens that this model's context holds", count_max));
    }
    ids.push_back(id);
    begin = all.find_first_not_of(kBetween, end);
  }
  if (ids.empty()) {
    return Fail(ErrorCode::kInvalidInput, "--ids: there is no id",
                "write ids like 1,2,3, or @FILE for a file that lists them");
  }
  return ids;
}

}  // namespace safeguard::apps
