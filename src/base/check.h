// CHECK: ends the process, with the expression and its place, when an invariant that only a
// programmer can break is broken. Never for bad input: that is a Result.
#pragma once

namespace safeguard {

[[noreturn]] void CheckFailed(const char* expression, const char* file, int line);

}  // namespace safeguard

#define CHECK(expression)                                        \
  do {                                                           \
    if (!(expression)) [[unlikely]] {                            \
      ::safeguard::CheckFailed(#expression, __FILE__, __LINE__); \
    }                                                            \
  } while (false)
