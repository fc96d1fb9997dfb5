// What the readers of named data sets share: finding their files, hashing and reading them.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "eval/benchmark_sets.h"

namespace safeguard::eval {

// The files with this extension in a folder, in order of name; a file stands for itself.
Result<std::vector<std::string>> FilesAt(const std::string& path, std::string_view extension);

// One file of the set: in a folder `preferred` where it is there, else the only one with the
// extension.
Result<std::string> FileAt(const std::string& path, std::string_view extension,
                           std::string_view preferred = {});

// Sets dataset.hash: of one file its hash, of several that of their hashes.
Status HashFiles(const std::vector<std::string>& files, Dataset& dataset);

// Adds the records of a file, each after `finish`; lines that cannot be read are counted.
Status ReadInto(const std::string& path, const ReadOptions& options,
                const std::function<void(Record&)>& finish, Dataset& dataset);

// The record as one of its labels says: unknown where that label is. Fails when no record of the
// set has it.
Status ChooseLabel(const std::string& label, Dataset& dataset);

}  // namespace safeguard::eval
