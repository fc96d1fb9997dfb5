// Policies by name or path: the ones that ship inside the binary, and files.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/input/embedded_file.h"
#include "base/result.h"
#include "moderation/golden.h"
#include "moderation/policy.h"

namespace safeguard::apps {

// A policy as a user named it, with the golden set that goes with it.
struct LoadedPolicy {
  moderation::Policy policy;
  std::string bytes;   // that it was read from
  std::string origin;  // the path, or "shipped with safeguard"
  std::vector<moderation::GoldenCase> golden;
  std::string golden_origin;  // a path, "shipped with safeguard", or empty: there is none
  std::string golden_hash;    // BLAKE2b of the golden set's bytes; empty without one
};

// Whether a golden set is wanted; reading one costs a little time.
enum class Golden { kRead, kIgnore };

class PolicyCatalog {
 public:
  // `shipped` must outlive the catalog.
  explicit PolicyCatalog(std::span<const EmbeddedFile> shipped) : shipped_(shipped) {}

  // Names of the shipped policies, in order.
  [[nodiscard]] std::vector<std::string> names() const;

  // `name_or_path`: the name of a shipped policy, else a path. (A file called "spam" in the current
  // folder is "./spam".) The golden set is `golden_path` where given, else the shipped one, else
  // golden.jsonl beside policy.md or NAME.golden.jsonl beside NAME.md. Fails when the policy is
  // missing (with the nearest shipped name), unreadable, binary or not UTF-8, or when its golden
  // set cannot be read.
  [[nodiscard]] Result<LoadedPolicy> Load(const std::string& name_or_path,
                                          const std::string& golden_path, Golden golden) const;

  // The text of a policy, without reading it: its bytes, and the id it has when it names itself
  // nowhere.
  struct PolicyText {
    std::string bytes;
    std::string fallback_id;
    std::string origin;
  };
  [[nodiscard]] Result<PolicyText> Text(const std::string& name_or_path) const;

 private:
  [[nodiscard]] const EmbeddedFile* Find(std::string_view path) const;

  std::span<const EmbeddedFile> shipped_;
};

// The value among `known` that differs least from `wanted`, when it is near enough to be what was
// meant; else empty. Case does not count.
std::string Nearest(std::string_view wanted, const std::vector<std::string>& known);

}  // namespace safeguard::apps
