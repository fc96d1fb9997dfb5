// Result<T>: a value, or the Error that says why there is none and what to do about it.
// Programmer errors do not come here: they end in CHECK (base/check.h).
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace safeguard {

enum class ErrorCode {
  kInvalidInput,  // what the caller gave cannot be understood
  kNotFound,      // a file, policy, model or name that is not there
  kCorruptFile,   // a file that is there but is not what it claims to be
  kLimit,         // over a documented limit
  kUnavailable,   // a resource that may come back: disk full, permission, missing hardware
};

struct Error {
  ErrorCode code = ErrorCode::kInvalidInput;
  std::string message;  // what went wrong, with the name of the thing; no trailing full stop
  std::string hint;     // what to do about it; may be empty
};

template <typename T>
using Result = std::expected<T, Error>;

using Status = std::expected<void, Error>;

const char* ToString(ErrorCode code);

// One line for a person: "message (hint)".
std::string Describe(const Error& error);

inline std::unexpected<Error> Fail(ErrorCode code, std::string message, std::string hint = {}) {
  return std::unexpected(Error{code, std::move(message), std::move(hint)});
}

}  // namespace safeguard
