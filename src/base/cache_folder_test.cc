#include "base/cache_folder.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace safeguard {
namespace {

TEST(CacheFolder, TheFirstThatIsSetCounts) {
  ::setenv("HOME", "/home/someone", 1);
  ::unsetenv("XDG_CACHE_HOME");
  ::unsetenv("SAFEGUARD_CACHE");
  EXPECT_EQ(DefaultCacheFolder(), "/home/someone/.cache/safeguard");
  ::setenv("XDG_CACHE_HOME", "/xdg", 1);
  EXPECT_EQ(DefaultCacheFolder(), "/xdg/safeguard");
  ::setenv("SAFEGUARD_CACHE", "/own", 1);
  EXPECT_EQ(DefaultCacheFolder(), "/own");
  ::setenv("SAFEGUARD_CACHE", "off", 1);
  EXPECT_EQ(DefaultCacheFolder(), "");
  ::setenv("SAFEGUARD_CACHE", "", 1);
  ::unsetenv("XDG_CACHE_HOME");
  ::unsetenv("HOME");
  EXPECT_EQ(DefaultCacheFolder(), "");
}

}  // namespace
}  // namespace safeguard
