// Policies by name or path: versions in the store, the ones that ship inside the binary, and files.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/input/embedded_file.h"
#include "base/result.h"
#include "moderation/golden.h"
#include "moderation/live_policies.h"
#include "moderation/policy.h"
#include "moderation/policy_store.h"

namespace safeguard::apps {

// Where a policy or golden set that is inside the program comes from.
inline constexpr const char* kShippedOrigin = "shipped with safeguard";

// A policy as a user named it, with the golden set that goes with it.
struct LoadedPolicy {
  moderation::Policy policy;
  std::string bytes;   // that it was read from
  std::string origin;  // the path, or "shipped with safeguard"
  std::vector<moderation::GoldenCase> golden;
  std::string golden_origin;  // a path, "shipped with safeguard", or empty: there is none
  std::string golden_hash;    // BLAKE2b of the golden set's bytes; empty without one
  // Of a version in the store. `routed`: named without a version, so that at each moment the store
  // says which one answers.
  std::optional<moderation::VersionInfo> stored;
  bool routed = false;
};

// Whether a golden set is wanted; reading one costs a little time.
enum class Golden { kRead, kIgnore };

class PolicyCatalog {
 public:
  // `shipped` must outlive the catalog. `data_dir` is what --data-dir says; see Load().
  explicit PolicyCatalog(std::span<const EmbeddedFile> shipped, std::string data_dir = {})
      : shipped_(shipped), data_dir_(std::move(data_dir)) {}

  // Names of the shipped policies, in order.
  [[nodiscard]] std::vector<std::string> names() const;

  // `name_or_path`, in this order:
  //   spam@3, spam@1f0c9a, spam@canary   a version in the store (PolicyStore::Find)
  //   spam      the active version in the store, when --data-dir or $SAFEGUARD_DATA names one that
  //             has the policy; else the shipped policy of that name
  //   a path    (A file called "spam" in the current folder is "./spam".)
  // The golden set is `golden_path` where given, else the shipped one, else
  // golden.jsonl beside policy.md or NAME.golden.jsonl beside NAME.md. Fails when the policy is
  // missing (with the nearest shipped name), unreadable, binary or not UTF-8, or when its golden
  // set cannot be read.
  [[nodiscard]] Result<LoadedPolicy> Load(const std::string& name_or_path,
                                          const std::string& golden_path, Golden golden) const;

  // A shipped policy or a file as bytes, with the golden set that goes with it, for the store.
  struct Source {
    std::string policy;
    std::string fallback_id;  // the id it has when it names itself nowhere
    std::string origin;
    std::string golden;  // empty: there is none
    std::string golden_origin;
  };
  [[nodiscard]] Result<Source> Read(const std::string& name_or_path, const std::string& golden_path,
                                    Golden golden) const;

 private:
  [[nodiscard]] const EmbeddedFile* Find(std::string_view path) const;
  [[nodiscard]] Result<Source> Text(const std::string& name_or_path) const;
  // Nothing when the name is none of the store's.
  [[nodiscard]] Result<std::optional<moderation::VersionInfo>> FindStored(
      const std::string& name, std::unique_ptr<moderation::PolicyStore>& store) const;

  std::span<const EmbeddedFile> shipped_;
  std::string data_dir_;
};

// A stored version as `Load` gives it. `golden_path` takes the place of its own golden set.
Result<LoadedPolicy> LoadStored(const moderation::LiveVersion& version,
                                const std::string& golden_path, Golden golden);

// The value among `known` that differs least from `wanted`, when it is near enough to be what was
// meant; else empty. Case does not count.
std::string Nearest(std::string_view wanted, const std::vector<std::string>& known);

}  // namespace safeguard::apps
