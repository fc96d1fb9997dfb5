// Which fail modes have acted in one exchange: for its headers, its moderation object and its log.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "http/guard/guard_settings.h"

namespace safeguard::http {

class ActedModes {
 public:
  // `side`: "input" or "output". False where it was known already.
  bool Add(const std::string& side, guard::FailMode mode);

  [[nodiscard]] bool empty() const { return acted_.empty(); }
  // Where it has acted, as a header says it: "", "input", "output", "input, output".
  [[nodiscard]] std::string SidesOf(guard::FailMode mode) const;
  // {"output": ["degrade", "closed"]}: what acted, in its order.
  [[nodiscard]] nlohmann::ordered_json ToJson() const;

 private:
  std::vector<std::pair<std::string, guard::FailMode>> acted_;
};

}  // namespace safeguard::http
