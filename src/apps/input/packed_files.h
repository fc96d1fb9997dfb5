// Where packed weights are kept between runs.
#pragma once

#include "engine/packed_file.h"

namespace safeguard::apps {

// Beside the model, else in the cache's folder `packed`. Nowhere without `wanted`, or when
// SAFEGUARD_PACKED or SAFEGUARD_CACHE is "off". Notes go to standard error.
engine::PackedFileOptions PackedFiles(bool wanted);

// For people: "beside the model, else in FOLDER", or why there are none.
std::string PackedFilesText();

}  // namespace safeguard::apps
