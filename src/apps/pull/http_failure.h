// What an answer that brings nothing means: in words, and whether it is worth asking again.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "apps/pull/http_client.h"
#include "apps/pull/pull_settings.h"
#include "base/result.h"

namespace safeguard::apps::pull {

// Who was asked for what.
struct Asked {
  std::string what;          // for messages: "the repository openai/x", "config.json of openai/x"
  std::string page;          // where a person can accept the licence; empty: there is none
  bool token_known = false;  // there is one, whether or not it was sent
};

struct Failure {
  Error error;
  bool retry = false;
  // What the server asked for with Retry-After, to be kept by all transfers.
  std::optional<std::chrono::seconds> wait;
};

// REQUIRES: the result is no success (complete with status 200 or 206).
Failure FailureOf(const HttpResult& result, const Asked& asked);

// How long to wait before the next try, after `failures` >= 1 in a row; or the error to end with:
// no use, tried often enough, or a longer wait asked for than we wait.
Result<std::chrono::milliseconds> WaitAfter(const Failure& failure, int failures,
                                            const Timing& timing);

}  // namespace safeguard::apps::pull
