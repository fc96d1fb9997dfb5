// ListLayer: the first layer of a cascade. Answers from lists what needs no model: hashes of known
// content, terms. Implemented in cascade/lists, and by fakes in tests.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "moderation/content.h"
#include "moderation/policy.h"
#include "moderation/verdict.h"

namespace safeguard::moderation {

// What a hit means for the verdict.
enum class ListEffect {
  kViolation,  // decides: known content that violates the policy
  kSafe,       // decides: known content that somebody has cleared
  kSuspect,    // decides nothing; the screen alone may not call the content safe
};

struct ListHit {
  ListEffect effect = ListEffect::kSuspect;
  std::string list{};      // the list's name
  std::string entry{};     // which of its entries; an id, not the entry's text
  std::string reason{};    // why the entry is there, for people
  std::string category{};  // of the policy; may be empty
  std::vector<std::string> rule_ids{};
  std::vector<Evidence> evidence{};  // where it stands in the content; empty: all of it
};

class ListLayer {
 public:
  virtual ~ListLayer() = default;

  // Every hit under this policy. An error says that the lists could not be asked; what then happens
  // is the route's setting. Thread-safe.
  virtual Result<std::vector<ListHit>> Match(const Content& content, const Policy& policy) = 0;
};

const char* ToString(ListEffect effect);  // "violation", "safe", "suspect"

}  // namespace safeguard::moderation
