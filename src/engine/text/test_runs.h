// Long runs for tests of speed and stack depth.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace safeguard::engine::test {

// Code without optimisation is some fifty times slower, and its speed says nothing.
#ifdef NDEBUG
constexpr std::size_t kRunScale = 1;
#else
constexpr std::size_t kRunScale = 20;
#endif

// `unit` repeated up to at least `bytes` / kRunScale bytes.
inline std::string Run(std::string_view unit, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes / kRunScale) {
    text += unit;
  }
  return text;
}

}  // namespace safeguard::engine::test
