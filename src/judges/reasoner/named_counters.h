// A generator's counters by name, as reports print them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/generator.h"

namespace safeguard::judges {

std::vector<std::pair<std::string, double>> NamedCounters(
    const engine::GeneratorCounters& counters);

}  // namespace safeguard::judges
