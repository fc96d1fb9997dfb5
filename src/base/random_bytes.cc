#include "base/random_bytes.h"

#include <sodium.h>

#include "base/check.h"

namespace safeguard {

std::string RandomBytes(std::size_t count) {
  CHECK(::sodium_init() >= 0);
  std::string bytes(count, '\0');
  ::randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

}  // namespace safeguard
