// The configuration of `serve` as one YAML: each option of the command line is a key of it, with
// '_' for '-', and what the command line says wins. So types, ranges and help are said once.
//
//   port: 9000
//   data_dir: /var/lib/safeguard
//   webhook_allow: [10.1.0.0/16]
#pragma once

#include <string>

#include "base/result.h"

namespace CLI {
class App;
}

namespace safeguard::apps {

inline constexpr std::size_t kConfigBytesMax = std::size_t{64} << 10;

// Gives the options of `serve` that the command line left out the values of the file. An unknown
// key, a value out of range and a key twice are errors that name their line. The file may be of
// kConfigBytesMax bytes.
Status ApplyConfigFile(const std::string& path, CLI::App& serve);

// Every option as it is now, as such a file, each with what it means.
std::string ConfigYaml(CLI::App& serve);
// The JSON Schema of such a file.
std::string ConfigSchema(const CLI::App& serve);

}  // namespace safeguard::apps
