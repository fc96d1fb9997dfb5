#include "apps/input/installed_classifiers.h"

#include <optional>
#include <set>
#include <utility>

#include "base/hash.h"
#include "storage/classifier_store.h"

namespace safeguard::apps {

judges::ClassifierSource InstalledClassifiers(const std::string& data_folder) {
  return [store = storage::ClassifierStore(data_folder),
          data_folder](const moderation::Policy& policy) -> Result<judges::InstalledClassifier> {
    const Result<std::optional<storage::ActiveClassifier>> active = store.Active(policy.id);
    if (!active) {
      return std::unexpected(active.error());
    }
    if (!*active) {
      return Fail(ErrorCode::kNotFound,
                  "no classifier answers for the policy " + policy.id + " in " + data_folder,
                  "train one with `safeguard screen train --policy " + policy.id +
                      "`, name another folder with --data-dir, or leave --judge dedicated out");
    }
    const storage::ClassifierEntry& entry = (*active)->entry;
    Result<std::string> bytes = store.Read(entry);
    if (!bytes) {
      return std::unexpected(bytes.error());
    }
    return judges::InstalledClassifier{entry.name, entry.version, entry.hash, std::move(*bytes),
                                       (*active)->band};
  };
}

Result<std::string> ClassifiersIdentity(const std::string& data_folder) {
  const storage::ClassifierStore store(data_folder);
  const Result<std::vector<storage::ClassifierEntry>> entries = store.List();
  if (!entries) {
    return std::unexpected(entries.error());
  }
  std::set<std::string> policies;
  for (const storage::ClassifierEntry& entry : *entries) {
    policies.insert(entry.policy_id);
  }
  std::string all;
  for (const std::string& policy : policies) {
    const Result<std::optional<storage::ActiveClassifier>> active = store.Active(policy);
    if (!active) {
      return std::unexpected(active.error());
    }
    if (*active) {
      all += policy + "=" + (*active)->entry.hash + ((*active)->band ? "+band\n" : "\n");
    }
  }
  return "dedicated " + Blake2bHex(all);
}

}  // namespace safeguard::apps
