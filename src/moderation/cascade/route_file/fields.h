// A map of a YAML tree as fields with types and ranges. The first thing that is wrong is kept.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "moderation/yaml_tree.h"

namespace safeguard::moderation::route_file {

using reading::YamlNode;

class Fields {
 public:
  // `path` names the map in messages: "budget", "reasoners". Null is an empty map.
  Fields(const YamlNode& node, std::string path, Status& status);
  // Says which keys nobody asked for.
  ~Fields();
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;

  void Text(std::string_view key, std::string& out);
  void Texts(std::string_view key, std::size_t most, std::vector<std::string>& out);
  void Number(std::string_view key, double least, double most, double& out);
  void Number(std::string_view key, double least, double most, std::optional<double>& out);
  void Count(std::string_view key, double least, double most, std::size_t& out);
  void Flag(std::string_view key, bool& out);
  void Pair(std::string_view key, std::optional<std::pair<double, double>>& out);
  // One of `words`: its place.
  void Word(std::string_view key, const std::vector<std::string>& words,
            const std::function<void(std::size_t)>& set);
  // A key without a value is an empty map.
  void Map(std::string_view key, const std::function<void(Fields&)>& read);
  // A list of maps; where `short_key` is given, a text stands for a map of that key alone.
  void Maps(std::string_view key, std::string_view short_key, std::size_t most,
            const std::function<void(Fields&)>& read);

  // Whether it has a value.
  [[nodiscard]] bool Has(std::string_view key) { return Find(key) != nullptr; }

  // What is wrong with the value of `key`, unless something was before.
  void Wrong(std::string_view key, const std::string& what);

 private:
  void Wrong(const YamlNode& node, std::string_view key, const std::string& what);
  // The value of `key`; null where it is not there. Find: also where it is empty.
  const YamlNode* FindAny(std::string_view key);
  const YamlNode* Find(std::string_view key);
  [[nodiscard]] std::string PathOf(std::string_view key) const;

  const YamlNode& node_;
  std::string path_;
  Status& status_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace safeguard::moderation::route_file
