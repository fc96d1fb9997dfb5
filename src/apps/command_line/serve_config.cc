#include "apps/command_line/serve_config.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "base/file.h"
#include "moderation/yaml_tree.h"

namespace safeguard::apps {
namespace {

using moderation::reading::YamlNode;
using Json = nlohmann::ordered_json;

// Those that speak of this very call.
const std::set<std::string> kNotConfigured = {"help", "config", "print-config", "config-schema"};

std::string KeyOf(const CLI::Option& option) {
  std::string key = option.get_lnames().front();
  std::ranges::replace(key, '-', '_');
  return key;
}

std::vector<CLI::Option*> Configured(CLI::App& serve) {
  std::vector<CLI::Option*> options = serve.get_options({});
  std::erase_if(options, [](const CLI::Option* option) {
    return option->get_lnames().empty() || kNotConfigured.contains(option->get_lnames().front());
  });
  return options;
}

bool IsFlag(const CLI::Option& option) {
  return option.get_expected_max() == 0;
}
bool IsList(const CLI::Option& option) {
  return option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
}
bool IsNumber(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type == "N" || type == "KIB" || type == "SECONDS";
}

std::unexpected<Error> WrongAt(const std::string& path, int line, const std::string& what) {
  return Fail(ErrorCode::kInvalidInput, path + " line " + std::to_string(line) + ": " + what,
              "safeguard serve --print-config shows every key with its value");
}

class Applier {
 public:
  Applier(std::string path, CLI::App& serve) : path_(std::move(path)) {
    for (CLI::Option* option : Configured(serve)) {
      options_.emplace(KeyOf(*option), option);
    }
  }

  Status ApplyAll(const YamlNode& map) {
    for (std::size_t i = 0; i + 1 < map.children.size(); i += 2) {
      const YamlNode& key = map.children[i];
      if (Status applied = ApplyValue(key.scalar, key.line, map.children[i + 1]); !applied) {
        return applied;
      }
    }
    return {};
  }

 private:
  Status ApplyValue(const std::string& key, int line, const YamlNode& value) {
    const auto found = options_.find(key);
    if (found == options_.end()) {
      return WrongAt(path_, line, "there is no key " + key);
    }
    if (!seen_.insert(key).second) {
      return WrongAt(path_, line, key + " is there twice");
    }
    CLI::Option& option = *found->second;
    if (value.kind == YamlNode::Kind::kMap) {
      return WrongAt(path_, line, key + " is no map");
    }
    std::vector<std::string> values;
    if (value.kind == YamlNode::Kind::kScalar) {
      values.push_back(value.scalar);
    }
    for (const YamlNode& item : value.children) {
      if (item.kind != YamlNode::Kind::kScalar) {
        return WrongAt(path_, item.line, key + " holds something that is no plain value");
      }
      values.push_back(item.scalar);
    }
    if (value.kind == YamlNode::Kind::kList && !IsList(option)) {
      return WrongAt(path_, line, key + " takes one value, not a list");
    }
    if (IsFlag(option) && (values.size() != 1 || (values[0] != "true" && values[0] != "false"))) {
      return WrongAt(path_, line, key + " is either true or false");
    }
    const bool said = !option.empty();  // by the command line, which wins
    if (said || values.empty() || (IsFlag(option) && values[0] == "false")) {
      return {};
    }
    try {
      option.add_result(values);
      option.run_callback();
    } catch (const CLI::Error& problem) {
      return WrongAt(path_, line, problem.what());
    }
    return {};
  }

  std::string path_;
  std::map<std::string, CLI::Option*> options_;
  std::set<std::string> seen_;
};

Json ValueOf(CLI::Option& option) {
  if (IsFlag(option)) {
    return !option.empty() && option.results().front() != "false";
  }
  if (IsList(option)) {
    return option.results();
  }
  option.capture_default_str();  // of the variable as it is now
  const std::string text = option.get_default_str();
  const Json number = Json::parse(text, nullptr, false);
  return IsNumber(option) && number.is_number() ? number : Json(text);
}

Json SchemaOf(const CLI::Option& option) {
  Json schema = {{"description", option.get_description()}};
  const std::string type = option.get_type_name();
  if (IsFlag(option)) {
    schema["type"] = "boolean";
  } else if (IsList(option)) {
    schema["type"] = {"array", "string"};
    schema["items"] = {{"type", "string"}};
  } else if (IsNumber(option)) {
    schema["type"] = "number";
  } else if (type.find('|') != std::string::npos) {
    schema["enum"] = CLI::detail::split(type, '|');
  } else {
    schema["type"] = "string";
  }
  return schema;
}

}  // namespace

Status ApplyConfigFile(const std::string& path, CLI::App& serve) {
  const Result<std::string> text = ReadFile(path, kConfigBytesMax);
  if (!text) {
    return std::unexpected(text.error());
  }
  const Result<YamlNode> root = moderation::reading::ReadYaml(*text, 1, path);
  if (!root) {
    return std::unexpected(root.error());
  }
  if (root->kind == YamlNode::Kind::kNull) {
    return {};  // nothing but comments
  }
  if (root->kind != YamlNode::Kind::kMap) {
    return WrongAt(path, root->line, "it is no map of keys and values");
  }
  return Applier(path, serve).ApplyAll(*root);
}

std::string ConfigYaml(CLI::App& serve) {
  std::string yaml;
  for (CLI::Option* option : Configured(serve)) {
    yaml +=
        KeyOf(*option) + ": " + ValueOf(*option).dump() + "  # " + option->get_description() + "\n";
  }
  return yaml;
}

std::string ConfigSchema(const CLI::App& serve) {
  Json properties = Json::object();
  for (const CLI::Option* option : serve.get_options()) {
    if (!option->get_lnames().empty() && !kNotConfigured.contains(option->get_lnames().front())) {
      properties[KeyOf(*option)] = SchemaOf(*option);
    }
  }
  return Json{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", "safeguard serve"},
              {"type", "object"},
              {"additionalProperties", false},
              {"properties", std::move(properties)}}
             .dump(2) +
         "\n";
}

}  // namespace safeguard::apps
