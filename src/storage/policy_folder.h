// Policies as a folder of text that Git likes: lines are only appended, and a version's files never
// change.
//
//   FOLDER/spam/policy.md                  the newest version, to be read and edited
//   FOLDER/spam/golden.jsonl               its golden set, where it has one
//   FOLDER/spam/history.jsonl              what happened, one event a line, oldest first
//   FOLDER/spam/versions/1.md              the bytes of each version ...
//   FOLDER/spam/versions/1.golden.jsonl    ... and its golden set
//   FOLDER/spam/attachments/1/NAME         whatever else is kept with a version
//
// A folder written by hand needs policy.md alone.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "moderation/policy_store.h"

namespace safeguard::storage {

struct Imported {
  std::string policy_id;
  std::size_t events = 0;    // of the folder's history that the store did not have
  std::size_t versions = 0;  // of these, new versions
  // What policy.md is now, and whether it was published as a new draft.
  moderation::VersionInfo head;
  bool head_is_new = false;
};

// Reads FOLDER/NAME as the policy NAME. Its history must go on where the store's ends, or the
// store's must go on where it ends; the events are applied under the store's rules as if they
// happened now, and keep their times and people. A policy.md that differs from every version
// becomes a new draft by `action`. All of the history or nothing is imported.

Result<Imported> ImportPolicy(moderation::PolicyStore& store, const std::string& policy_folder,
                              const moderation::Action& action);

// The policies of a folder: the subfolders that hold a policy.md, in order. Empty: none.
Result<std::vector<std::string>> PolicyFolders(const std::string& folder);

struct ExportOptions {
  bool overwrite = false;  // a policy.md or golden.jsonl that was edited since
};

// Writes the policy into FOLDER/NAME. Refuses to overwrite edits that are in no version of the
// store. Gives the paths written, relative to `folder`.
Result<std::vector<std::string>> ExportPolicy(moderation::PolicyStore& store,
                                              const std::string& policy_id,
                                              const std::string& folder,
                                              const ExportOptions& options);

}  // namespace safeguard::storage
