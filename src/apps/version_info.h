// What this build is. The values are set by CMake at configure time.
#pragma once

namespace safeguard::apps {

const char* VersionText();   // "0.1.0"
const char* GitDescribe();   // "v0.1.0-3-gabcdef"; empty when it was not built from a repository
const char* CompilerText();  // "GNU 12.2.0"
const char* BuildType();     // "Release"

}  // namespace safeguard::apps
