// Labelled data as they are sent to a server, read as `safeguard eval --data` reads a file.
#pragma once

#include <string>

#include "base/result.h"
#include "eval/benchmark_sets.h"
#include "http/dataset_mapping.h"
#include "http/service.h"
#include "moderation/file_store.h"

namespace safeguard::apps {

// `folder` takes the bytes meanwhile; `name` is what errors call them by. With a mapping every line
// must be as it says: the first that is not, a field that no record has, and a side of the label
// that none is on, are kInvalidInput.
Result<eval::Dataset> LoadSent(const std::string& folder, const moderation::ByteSource& bytes,
                               const std::string& name, const http::DatasetMapping& mapping);

// The same, for what is told of a dataset.
http::DatasetReader DatasetReaderIn(const std::string& folder);

}  // namespace safeguard::apps
