#include "apps/input/data_folder.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace safeguard::apps {
namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::string NamedDataFolder(const std::string& flag) {
  return flag.empty() ? Variable("SAFEGUARD_DATA") : flag;
}

Result<std::string> DataFolder(const std::string& flag) {
  if (std::string named = NamedDataFolder(flag); !named.empty()) {
    return named;
  }
  if (const std::string shared = Variable("XDG_DATA_HOME"); !shared.empty()) {
    return shared + "/safeguard";
  }
  if (const std::string home = Variable("HOME"); !home.empty()) {
    return home + "/.local/share/safeguard";
  }
  return Fail(ErrorCode::kInvalidInput, "it is not known where policies are kept",
              "name a folder with --data-dir or SAFEGUARD_DATA");
}

Result<std::string> ActingPerson(const std::string& flag) {
  if (!flag.empty()) {
    return flag;
  }
  if (std::string person = Variable("SAFEGUARD_USER"); !person.empty()) {
    return person;
  }
  std::array<char, 16384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 &&
      found != nullptr) {
    return std::string(found->pw_name);
  }
  return Fail(ErrorCode::kInvalidInput, "nobody is named who does this",
              "say who with --as NAME or SAFEGUARD_USER");
}

}  // namespace safeguard::apps
