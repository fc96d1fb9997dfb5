#include "moderation/policy/front_matter.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "moderation/policy/scan.h"
#include "moderation/policy/sides.h"
#include "moderation/yaml_tree.h"

namespace safeguard::moderation::reading {
namespace {

using Kind = YamlNode::Kind;

std::string_view LineAt(std::string_view text, std::size_t at) {
  return text.substr(at, text.find('\n', at) - at);
}

bool IsFence(std::string_view line) {
  return TrimRight(line) == "---";
}

// Whether a line after "---" is YAML rather than the text after a ruler.
bool LooksLikeYaml(std::string_view line) {
  line = Trim(line);
  if (line.empty() || line.starts_with("**") || line.starts_with("__")) {
    return false;
  }
  if (std::string_view("{[&*!|>\"'%").find(line.front()) != std::string_view::npos || line == "-" ||
      line.starts_with("- ")) {
    return true;
  }
  std::size_t end = 0;
  while (end < line.size() && (IsAsciiAlpha(line[end]) || IsAsciiDigit(line[end]) ||
                               line[end] == '_' || line[end] == '-' || line[end] == '.')) {
    ++end;
  }
  return end > 0 && end < line.size() && line[end] == ':' &&
         (end + 1 == line.size() || line[end + 1] == ' ' || line[end + 1] == '\t');
}

// Facts about the text after an opening fence.
struct Inner {
  bool yaml = false;
  bool empty = true;
  bool decided = false;
  bool closed = false;
  std::size_t yaml_end = 0;
  std::size_t body_at = 0;
  int lines = 0;
};

Inner ScanInner(std::string_view text, std::size_t at) {
  Inner inner;
  while (at < text.size() && !inner.closed) {
    const std::string_view line = LineAt(text, at);
    const std::size_t next = at + line.size() < text.size() ? at + line.size() + 1 : text.size();
    if (IsFence(line) || (inner.yaml && TrimRight(line) == "...")) {
      inner.closed = true;
      inner.yaml_end = at;
      inner.body_at = next;
    } else {
      const std::string_view trimmed = Trim(line);
      if (!inner.decided && !trimmed.empty()) {
        inner.empty = false;
        inner.decided = trimmed.front() != '#';  // a comment in YAML, a heading in Markdown
        inner.yaml = inner.decided && LooksLikeYaml(line);
      }
      ++inner.lines;
    }
    at = next;
  }
  return inner;
}

std::unexpected<Error> Wrong(const YamlNode& node, std::string_view key, std::string_view what) {
  return Fail(ErrorCode::kInvalidInput,
              "front matter line " + std::to_string(node.line) + ": `" + std::string(key) +
                  "` must be " + std::string(what),
              "correct the value of `" + std::string(key) + "`");
}

Status ReadText(const YamlNode& node, std::string_view key, std::string& out) {
  if (node.kind == Kind::kNull) {
    return {};
  }
  if (node.kind != Kind::kScalar) {
    return Wrong(node, key, "a text, not a list or a map");
  }
  out = std::string(Trim(node.scalar));
  return {};
}

std::string CanonicalMeaning(std::string_view meaning) {
  switch (LabelSide(meaning)) {
    case Side::kViolating:
      return "violation";
    case Side::kSafe:
      return "safe";
    case Side::kNone:
      break;
  }
  return std::string(Trim(meaning));
}

void AddLabel(std::string_view label, std::string_view meaning, Policy& policy) {
  policy.labels.emplace_back(label);
  if (!Trim(meaning).empty()) {
    policy.label_meanings[std::string(label)] = CanonicalMeaning(meaning);
  }
}

Status ReadLabelMap(const YamlNode& node, Policy& policy) {
  for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
    const YamlNode& key = node.children[i];
    const YamlNode& value = node.children[i + 1];
    if (key.kind != Kind::kScalar || value.kind == Kind::kList || value.kind == Kind::kMap) {
      return Wrong(key, "labels", "a map of label to meaning, both texts");
    }
    AddLabel(key.scalar, value.scalar, policy);
  }
  return {};
}

// "{label: 1, meaning: violation}": one entry of a list of maps.
Status ReadLabelEntry(const YamlNode& node, Policy& policy) {
  std::string label;
  std::string meaning;
  for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
    const std::string& key = node.children[i].scalar;
    const YamlNode& value = node.children[i + 1];
    if (value.kind == Kind::kList || value.kind == Kind::kMap) {
      continue;
    }
    if (key == "label" || key == "id" || key == "name" || key == "value") {
      label = label.empty() ? value.scalar : label;
    } else if (key == "meaning" || key == "means" || key == "outcome" || key == "side") {
      meaning = value.scalar;
    }
  }
  if (label.empty() && node.children.size() == 2) {
    return ReadLabelMap(node, policy);  // "- 1: violation"
  }
  if (label.empty()) {
    return Wrong(node, "labels", "a list whose maps have a `label` and a `meaning`");
  }
  AddLabel(label, meaning, policy);
  return {};
}

Status ReadLabels(const YamlNode& node, Policy& policy) {
  if (node.kind == Kind::kMap) {
    return ReadLabelMap(node, policy);
  }
  if (node.kind != Kind::kList && node.kind != Kind::kNull) {
    return Wrong(node, "labels", "a list such as [0, 1], or a map of label to meaning");
  }
  for (const YamlNode& child : node.children) {
    if (child.kind == Kind::kMap) {
      if (Status status = ReadLabelEntry(child, policy); !status) {
        return status;
      }
    } else if (child.kind == Kind::kScalar) {
      AddLabel(child.scalar, {}, policy);
    } else {
      return Wrong(child, "labels", "a list of texts");
    }
  }
  return {};
}

Status ReadLanguages(const YamlNode& node, std::string_view key, Policy& policy) {
  if (node.kind == Kind::kScalar) {
    policy.languages.emplace_back(Trim(node.scalar));
    return {};
  }
  if (node.kind == Kind::kMap) {
    return Wrong(node, key, "a list of language tags such as [en, fa]");
  }
  for (const YamlNode& child : node.children) {
    if (child.kind != Kind::kScalar) {
      return Wrong(child, key, "a list of language tags such as [en, fa]");
    }
    policy.languages.emplace_back(Trim(child.scalar));
  }
  return {};
}

Status ReadShare(const YamlNode& node, std::string_view key, std::optional<double>& out) {
  double value = 0;
  const std::string_view text = Trim(node.scalar);
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (node.kind != Kind::kScalar || problem != std::errc() || end != text.data() + text.size() ||
      !std::isfinite(value) || value < 0 || value > 1) {
    return Wrong(node, key, "a number from 0 to 1");
  }
  out = value;
  return {};
}

Status ReadThresholds(const YamlNode& node, Policy& policy) {
  if (node.kind != Kind::kMap) {
    return node.kind == Kind::kNull
               ? Status{}
               : Wrong(node, "thresholds", "a map with `violation` and `safe`");
  }
  std::optional<double> violation;
  std::optional<double> safe;
  for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
    const std::string& key = node.children[i].scalar;
    Status status;
    if (key == "violation") {
      status = ReadShare(node.children[i + 1], "thresholds.violation", violation);
    } else if (key == "safe") {
      status = ReadShare(node.children[i + 1], "thresholds.safe", safe);
    }
    if (!status) {
      return status;
    }
  }
  Thresholds read;
  read.violation = violation.value_or(std::max(0.5, safe.value_or(0.5)));
  read.safe = safe.value_or(std::min(0.5, read.violation));
  if (read.safe > read.violation) {
    return Wrong(node, "thresholds.safe", "at most `thresholds.violation`");
  }
  policy.thresholds = read;
  return {};
}

Status ReadKey(std::string_view key, const YamlNode& value, Policy& policy) {
  if (key == "id") {
    return ReadText(value, key, policy.id);
  }
  if (key == "name" || key == "title") {
    return ReadText(value, key, policy.name);
  }
  if (key == "version") {
    return ReadText(value, key, policy.version);
  }
  if (key == "output") {
    return ReadText(value, key, policy.output);
  }
  if (key == "labels") {
    return ReadLabels(value, policy);
  }
  if (key == "languages" || key == "language") {
    return ReadLanguages(value, key, policy);
  }
  if (key == "thresholds") {
    return ReadThresholds(value, policy);
  }
  return {};
}

}  // namespace

Result<FrontMatterSpan> FindFrontMatter(std::string_view text) {
  FrontMatterSpan span;
  const std::string_view first = LineAt(text, 0);
  if (!IsFence(first)) {
    return span;
  }
  const std::size_t at = first.size() < text.size() ? first.size() + 1 : text.size();
  const Inner inner = ScanInner(text, at);
  if (!inner.yaml && !(inner.empty && inner.closed)) {
    return span;  // a ruler
  }
  if (!inner.closed) {
    return Fail(ErrorCode::kInvalidInput,
                "front matter line 1: opened with \"---\" and never closed",
                "end it with a line \"---\"");
  }
  if (inner.yaml_end - at > kFrontMatterBytesMax) {
    return Fail(
        ErrorCode::kLimit,
        "front matter line 1: longer than " + std::to_string(kFrontMatterBytesMax) + " bytes",
        "move everything but the keys into the body");
  }
  span.present = true;
  span.yaml = text.substr(at, inner.yaml_end - at);
  span.body_at = inner.body_at;
  span.body_line = inner.lines + 3;
  return span;
}

Status ReadFrontMatter(const FrontMatterSpan& span, Policy& policy) {
  Result<YamlNode> root = ReadYaml(span.yaml, span.yaml_line);
  if (!root) {
    return std::unexpected(root.error());
  }
  policy.has_front_matter = true;
  if (root->kind == Kind::kNull) {
    return {};
  }
  if (root->kind != Kind::kMap) {
    return Fail(ErrorCode::kInvalidInput,
                "front matter line " + std::to_string(root->line) + ": must be `key: value` lines",
                "write for example `id: spam`");
  }
  std::set<std::string, std::less<>> seen;
  for (std::size_t i = 0; i + 1 < root->children.size(); i += 2) {
    const YamlNode& key = root->children[i];
    if (key.kind != Kind::kScalar) {
      continue;  // unknown keys are left alone
    }
    const std::string name = Lower(key.scalar);
    if (!seen.insert(name).second) {
      return Fail(
          ErrorCode::kInvalidInput,
          "front matter line " + std::to_string(key.line) + ": `" + name + "` is there twice",
          "keep one of them");
    }
    if (Status status = ReadKey(name, root->children[i + 1], policy); !status) {
      return status;
    }
  }
  return {};
}

}  // namespace safeguard::moderation::reading
