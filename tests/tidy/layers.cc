// The tables below are the architecture. Change them only together with ARCHITECTURE.md.
#include <map>
#include <set>

#include "tests/tidy/tidy.h"

namespace tidy {
namespace {

// The longest matching folder decides. A module may always include itself.
const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"base", {}},
    {"base/unicode", {"base"}},
    {"base/patterns", {"base"}},
    {"base/languages", {"base"}},
    {"engine", {"base"}},
    {"engine/text", {"base", "base/unicode"}},
    {"engine/model", {"base"}},
    {"engine/tiles", {"base"}},
    {"engine/encoder", {"base", "engine/model", "engine/tiles"}},
    {"engine/cpu", {"base", "engine/model", "engine/tiles"}},
    {"engine/runtime", {"base", "engine/model"}},
    {"engine/synth", {"base", "engine/model", "engine/text"}},
    {"engine/language", {"base", "engine/model", "engine/text", "engine/cpu", "engine/runtime"}},
    {"moderation", {"base"}},
    {"moderation/policy", {"base"}},
    {"moderation/cascade", {"base", "base/unicode", "base/patterns", "base/languages"}},
    {"moderation/cascade/route_file", {"base", "moderation/policy"}},  // its YAML
    {"moderation/store", {"base"}},
    {"moderation/jobs", {"base"}},
    {"moderation/json", {"base"}},
    {"judges", {"base", "engine", "moderation"}},
    {"storage", {"base", "moderation"}},
    {"http", {"base", "moderation", "http/guard"}},
    {"http/guard", {"base", "moderation"}},
    {"http/server", {"base", "http"}},
    {"eval", {"base", "moderation"}},
    {"apps",
     {"base", "base/unicode", "engine", "moderation", "judges", "storage", "http", "http/guard",
      "eval", "apps/pull"}},
    {"apps/pull", {"base"}},
};

// From another module these are entered only by the headers that stand directly in their folder.
const std::set<std::string> kClosed = {"engine", "moderation", "judges", "storage",
                                       "http",   "eval",       "apps"};

// Third-party headers, and the only folder that may name them.
struct ThirdParty {
  const char* prefix;
  std::set<std::string> folders;
};
const std::vector<ThirdParty> kThirdParty = {
    {"unicode/", {"src/base/unicode"}},
    {"hs/", {"src/base/patterns"}},
    {"cld2/", {"src/base/languages"}},
    {"sodium", {"src/base"}},
    {"zlib.h", {"src/base"}},
    {"pcre2", {"src/engine/text"}},
    {"yaml-cpp/", {"src/moderation/policy"}},
    {"CLI/", {"src/apps"}},
    {"curl/", {"src/apps/pull", "src/http/upstream", "src/http/webhook"}},
    {"openssl/", {"src/apps/pull", "src/http/server"}},
    {"sqlite3.h", {"src/storage/sqlite"}},
    {"fasttext/", {"src/judges/dedicated/fasttext"}},
    {"boost/", {"src/http/server"}},
    {"prometheus/", {"src/http"}},
    {"nlohmann/",
     {"src/engine/text", "src/engine/model", "src/engine/runtime", "src/engine/synth",
      "src/moderation/json", "src/moderation/cascade/lists", "src/judges/dedicated",
      "src/judges/reasoner", "src/judges/recorded", "src/judges/screen", "src/eval", "src/storage",
      "src/http", "src/apps"}},
};

std::string ModuleOf(const std::string& path) {
  std::string best;
  for (const auto& [module, allowed] : kMayInclude) {
    if (path.starts_with(module + "/") && module.size() > best.size()) {
      best = module;
    }
  }
  return best;
}

std::string WingOf(const std::string& module) {
  return module.substr(0, module.find('/'));
}

bool IsFace(const std::string& target, const std::string& wing) {
  return target.find('/', wing.size() + 1) == std::string::npos;
}

void CheckOurs(const std::string& path, int line, const std::string& target, Findings& findings) {
  const std::string from = ModuleOf(path.substr(4));  // without "src/"
  const std::string to = ModuleOf(target);
  if (from.empty() || to.empty() || from == to) {
    return;
  }
  const bool same_wing = WingOf(from) == WingOf(to);
  const std::set<std::string>& allowed = kMayInclude.at(from);
  const bool listed = allowed.contains(to) || allowed.contains(WingOf(to));
  if (same_wing && (listed || IsFace(target, WingOf(to)))) {
    return;
  }
  if (same_wing && from == WingOf(from)) {
    findings.push_back({path, line, from + " may not include its own room " + target});
  } else if (!listed) {
    findings.push_back({path, line, from + " may not include " + target});
  } else if (!allowed.contains(to) && kClosed.contains(WingOf(to)) && !IsFace(target, WingOf(to))) {
    findings.push_back({path, line, target + " is private to " + WingOf(to)});
  }
}

}  // namespace

void CheckInclude(const std::string& path, int line, const std::string& include, bool quoted,
                  Findings& findings) {
  const std::string folder = path.substr(0, path.rfind('/'));
  for (const ThirdParty& library : kThirdParty) {
    const bool ours = include.starts_with("unicode/") && quoted;
    if (!include.starts_with(library.prefix) || ours) {
      continue;
    }
    bool allowed = false;
    for (const std::string& place : library.folders) {
      allowed = allowed || folder == place || folder.starts_with(place + "/");
    }
    if (!allowed) {
      findings.push_back(
          {path, line, include + " may be included only from " + *library.folders.begin()});
    }
  }
  if (quoted && path.starts_with("src/")) {
    CheckOurs(path, line, include, findings);
  }
}

}  // namespace tidy
