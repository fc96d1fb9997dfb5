// Numbers of bytes as people write them.
#pragma once

#include <cstdint>
#include <string>

namespace safeguard::apps {

// "312 B", "4.5 KiB", "12.8 GiB".
std::string ByteSize(std::uint64_t bytes);

}  // namespace safeguard::apps
