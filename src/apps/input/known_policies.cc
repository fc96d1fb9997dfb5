#include "apps/input/known_policies.h"

#include <algorithm>

#include "apps/input/policy_catalog.h"
#include "storage/stores.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kNamesMax = 20;  // told of, where none is near

std::string SomeOf(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t n = 0; n < std::min(names.size(), kNamesMax); ++n) {
    text += (n == 0 ? "" : ", ") + names[n];
  }
  return text + (names.size() > kNamesMax ? ", ..." : "");
}

}  // namespace

Result<std::vector<std::string>> KnownPolicies(std::span<const EmbeddedFile> shipped,
                                               moderation::PolicyStore* store) {
  std::vector<std::string> names = PolicyCatalog(shipped).names();
  if (store != nullptr) {
    const Result<std::vector<std::string>> ids = store->PolicyIds();
    if (!ids) {
      return std::unexpected(ids.error());
    }
    names.insert(names.end(), ids->begin(), ids->end());
  }
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  return names;
}

Result<std::vector<std::string>> KnownPolicies(std::span<const EmbeddedFile> shipped,
                                               const std::string& folder) {
  const auto store = storage::OpenPolicyStore(folder, {});
  if (!store && store.error().code != ErrorCode::kNotFound) {
    return std::unexpected(store.error());
  }
  return KnownPolicies(shipped, store ? store->get() : nullptr);
}

Status CheckKnown(const std::string& what, const std::string& name,
                  const std::vector<std::string>& known) {
  if (std::ranges::find(known, name) != known.end()) {
    return {};
  }
  const std::string nearest = Nearest(name, known);
  return Fail(ErrorCode::kNotFound, "no " + what + " is called " + name,
              !nearest.empty() ? "did you mean " + nearest + "?"
              : known.empty()  ? "there is none yet"
                               : "there is: " + SomeOf(known));
}

Status CheckKnownPolicy(const std::string& name, std::span<const EmbeddedFile> shipped,
                        const std::string& folder) {
  const Result<std::vector<std::string>> known = KnownPolicies(shipped, folder);
  return known ? CheckKnown("policy", name, *known) : std::unexpected(known.error());
}

}  // namespace safeguard::apps
