// Token ids on the command line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace safeguard::apps {

// "1,2,3", or "@FILE" with such a list; spaces and line ends may stand for commas. At least one id,
// each below `vocabulary`, at most `count_max`; kInvalidInput names the one that is wrong.
Result<std::vector<std::uint32_t>> ReadTokenIds(const std::string& argument, std::size_t vocabulary,
                                                std::size_t count_max);

}  // namespace safeguard::apps
