#include "base/cache_folder.h"

#include <cstdlib>
#include <string_view>

namespace safeguard {

std::string DefaultCacheFolder() {
  const char* own = std::getenv("SAFEGUARD_CACHE");
  if (own != nullptr && *own != '\0') {
    return std::string_view(own) == "off" ? "" : own;
  }
  const char* xdg = std::getenv("XDG_CACHE_HOME");
  if (xdg != nullptr && *xdg != '\0') {
    return std::string(xdg) + "/safeguard";
  }
  const char* home = std::getenv("HOME");
  return home != nullptr && *home != '\0' ? std::string(home) + "/.cache/safeguard" : "";
}

}  // namespace safeguard
