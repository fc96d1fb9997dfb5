// Where what can be computed again is kept between runs.
#pragma once

#include <string>

namespace safeguard {

// $SAFEGUARD_CACHE, else $XDG_CACHE_HOME/safeguard, else ~/.cache/safeguard; empty when none is
// set. SAFEGUARD_CACHE=off turns every cache off.
std::string DefaultCacheFolder();

}  // namespace safeguard
