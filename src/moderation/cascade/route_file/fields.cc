#include "moderation/cascade/route_file/fields.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace safeguard::moderation::route_file {
namespace {

using Kind = YamlNode::Kind;

constexpr std::size_t kTextBytesMax = 4096;

std::string Digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

std::optional<double> NumberIn(const YamlNode& node, double least, double most) {
  double value = 0;
  const std::string& text = node.scalar;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (node.kind != Kind::kScalar || problem != std::errc() || end != text.data() + text.size() ||
      !std::isfinite(value) || value < least || value > most) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

Fields::Fields(const YamlNode& node, std::string path, Status& status)
    : node_(node), path_(std::move(path)), status_(status) {
  if (node_.kind != Kind::kMap && node_.kind != Kind::kNull) {
    Wrong(node_, "", "must be `key: value` lines");
    return;
  }
  std::set<std::string> seen;
  for (std::size_t i = 0; i + 1 < node_.children.size(); i += 2) {
    const YamlNode& key = node_.children[i];
    if (key.kind != Kind::kScalar || !seen.insert(key.scalar).second) {
      Wrong(key, key.scalar, "is there twice, or is no plain key");
    }
  }
}

Fields::~Fields() {
  if (node_.kind != Kind::kMap) {
    return;
  }
  for (std::size_t i = 0; i + 1 < node_.children.size(); i += 2) {
    const YamlNode& key = node_.children[i];
    if (key.kind == Kind::kScalar && !known_.contains(key.scalar)) {
      std::string names;
      for (const std::string& name : known_) {
        names += (names.empty() ? "" : ", ") + name;
      }
      Wrong(key, key.scalar.substr(0, 64), "is not known; there are " + names);
    }
  }
}

std::string Fields::PathOf(std::string_view key) const {
  return path_.empty() ? std::string(key) : key.empty() ? path_ : path_ + "." + std::string(key);
}

void Fields::Wrong(const YamlNode& node, std::string_view key, const std::string& what) {
  if (status_) {
    const std::string path = PathOf(key);
    status_ = Fail(ErrorCode::kInvalidInput,
                   "route line " + std::to_string(node.line) + ": " +
                       (path.empty() ? "a route" : "`" + path + "`") + " " + what,
                   "docs/cascade.md lists every key");
  }
}

void Fields::Wrong(std::string_view key, const std::string& what) {
  const YamlNode* node = FindAny(key);
  Wrong(node == nullptr ? node_ : *node, key, what);
}

const YamlNode* Fields::FindAny(std::string_view key) {
  known_.insert(std::string(key));
  if (node_.kind != Kind::kMap) {
    return nullptr;
  }
  for (std::size_t i = 0; i + 1 < node_.children.size(); i += 2) {
    if (node_.children[i].scalar == key) {
      return &node_.children[i + 1];
    }
  }
  return nullptr;
}

const YamlNode* Fields::Find(std::string_view key) {
  const YamlNode* node = FindAny(key);
  return node == nullptr || node->kind == Kind::kNull ? nullptr : node;
}

void Fields::Text(std::string_view key, std::string& out) {
  const YamlNode* node = Find(key);
  if (node == nullptr) {
    return;
  }
  if (node->kind != Kind::kScalar || node->scalar.size() > kTextBytesMax) {
    Wrong(*node, key, "must be a text of at most " + std::to_string(kTextBytesMax) + " bytes");
    return;
  }
  out = node->scalar;
}

void Fields::Texts(std::string_view key, std::size_t most, std::vector<std::string>& out) {
  const YamlNode* node = Find(key);
  if (node == nullptr) {
    return;
  }
  if (node->kind == Kind::kScalar) {
    out = {node->scalar};
    return;
  }
  const bool texts = node->kind == Kind::kList && node->children.size() <= most &&
                     std::ranges::all_of(node->children, [](const YamlNode& child) {
                       return child.kind == Kind::kScalar && child.scalar.size() <= kTextBytesMax;
                     });
  if (!texts) {
    Wrong(*node, key, "must be a list of at most " + std::to_string(most) + " texts");
    return;
  }
  out.clear();
  for (const YamlNode& child : node->children) {
    out.push_back(child.scalar);
  }
}

void Fields::Number(std::string_view key, double least, double most, double& out) {
  std::optional<double> value;
  Number(key, least, most, value);
  out = value.value_or(out);
}

void Fields::Number(std::string_view key, double least, double most, std::optional<double>& out) {
  const YamlNode* node = Find(key);
  if (node == nullptr) {
    return;
  }
  const std::optional<double> value = NumberIn(*node, least, most);
  if (!value) {
    Wrong(*node, key, "must be a number from " + Digits(least) + " to " + Digits(most));
    return;
  }
  out = value;
}

void Fields::Count(std::string_view key, double least, double most, std::size_t& out) {
  auto value = static_cast<double>(out);
  Number(key, least, most, value);
  out = static_cast<std::size_t>(std::clamp(value, least, most));
}

void Fields::Flag(std::string_view key, bool& out) {
  Word(key, {"off", "on", "false", "true", "no", "yes"},
       [&out](std::size_t place) { out = place % 2 == 1; });
}

void Fields::Pair(std::string_view key, std::optional<std::pair<double, double>>& out) {
  const YamlNode* node = Find(key);
  if (node == nullptr) {
    return;
  }
  std::vector<double> values;
  for (const YamlNode& child : node->children) {
    if (const std::optional<double> value = NumberIn(child, 0, 1)) {
      values.push_back(*value);
    }
  }
  if (node->kind != Kind::kList || values.size() != 2 || node->children.size() != 2 ||
      values[0] > values[1]) {
    Wrong(*node, key, "must be two numbers from 0 to 1, the lower one first, as in [0.1, 0.8]");
    return;
  }
  out = std::pair(values[0], values[1]);
}

void Fields::Word(std::string_view key, const std::vector<std::string>& words,
                  const std::function<void(std::size_t)>& set) {
  const YamlNode* node = Find(key);
  if (node == nullptr) {
    return;
  }
  const auto found = std::ranges::find(words, node->scalar);
  if (node->kind != Kind::kScalar || found == words.end()) {
    std::string choices;
    for (const std::string& word : words) {
      choices += (choices.empty() ? "" : ", ") + word;
    }
    Wrong(*node, key, "must be one of " + choices);
    return;
  }
  set(static_cast<std::size_t>(found - words.begin()));
}

void Fields::Map(std::string_view key, const std::function<void(Fields&)>& read) {
  const YamlNode* node = FindAny(key);
  if (node != nullptr) {
    Fields fields(*node, PathOf(key), status_);
    read(fields);
  }
}

void Fields::Maps(std::string_view key, std::string_view short_key, std::size_t most,
                  const std::function<void(Fields&)>& read) {
  const YamlNode* node = Find(key);
  if (node == nullptr) {
    return;
  }
  if (node->kind != Kind::kList || node->children.size() > most) {
    Wrong(*node, key, "must be a list of at most " + std::to_string(most));
    return;
  }
  for (const YamlNode& child : node->children) {
    YamlNode map = child;
    if (child.kind == Kind::kScalar && !short_key.empty()) {
      map = {Kind::kMap,
             "",
             child.line,
             {{Kind::kScalar, std::string(short_key), child.line, {}}, child}};
    }
    Fields fields(map, PathOf(key), status_);
    read(fields);
  }
}

}  // namespace safeguard::moderation::route_file
