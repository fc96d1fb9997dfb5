// Whether the name that a listing was given is a policy at all: nothing to show is one thing, a
// misspelt name another.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "apps/input/embedded_file.h"
#include "base/result.h"
#include "moderation/policy_store.h"

namespace safeguard::apps {

// The policies that ship and those in the store, each once and in order. `store` may be null.
Result<std::vector<std::string>> KnownPolicies(std::span<const EmbeddedFile> shipped,
                                               moderation::PolicyStore* store);

// The same with the store of `folder`; a folder without a store of policies adds none.
Result<std::vector<std::string>> KnownPolicies(std::span<const EmbeddedFile> shipped,
                                               const std::string& folder);

// kNotFound where `name` is none of `known`, with the nearest of them; `what` it would be:
// "policy".
Status CheckKnown(const std::string& what, const std::string& name,
                  const std::vector<std::string>& known);

// Both of them: whether there is a policy of that name.
Status CheckKnownPolicy(const std::string& name, std::span<const EmbeddedFile> shipped,
                        const std::string& folder);

}  // namespace safeguard::apps
