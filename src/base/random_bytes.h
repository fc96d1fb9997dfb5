// Unpredictable bytes from the system: for keys and ids, not for simulations.
#pragma once

#include <cstddef>
#include <string>

namespace safeguard {

// Ends the process when the system has none, which Linux has once it is up. Thread-safe.
std::string RandomBytes(std::size_t count);

}  // namespace safeguard
