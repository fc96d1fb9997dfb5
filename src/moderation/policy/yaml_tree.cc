#include "moderation/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

#include "moderation/policy/scan.h"

namespace safeguard::moderation::reading {
namespace {

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(int first_line, std::string what) : first_line_(first_line), what_(std::move(what)) {}

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Check(mark, "?", anchor);
    Add(mark, YamlNode::Kind::kNull, {});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    Refuse(mark, "an alias (*name)");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Check(mark, tag, anchor);
    const bool null = tag == "?" && (value.empty() || value == "~" || value == "null");
    Add(mark, null ? YamlNode::Kind::kNull : YamlNode::Kind::kScalar, value);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    Check(mark, tag, anchor);
    Open(mark, YamlNode::Kind::kList);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    Check(mark, tag, anchor);
    Open(mark, YamlNode::Kind::kMap);
  }
  void OnMapEnd() override { Close(); }

  const std::optional<Error>& error() const { return error_; }
  YamlNode TakeRoot() { return std::move(root_); }

 private:
  int LineOf(const YAML::Mark& mark) const { return first_line_ + std::max(mark.line, 0); }

  void Refuse(const YAML::Mark& mark, const std::string& what) {
    if (!error_) {
      error_ =
          Error{ErrorCode::kInvalidInput,
                what_ + " line " + std::to_string(LineOf(mark)) + ": " + what + " is not accepted",
                "write the value out in full, as plain text, a list or a map"};
    }
  }

  void Check(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) {
      Refuse(mark, "an anchor (&name)");
    } else if (!tag.empty() && tag != "?" && tag != "!") {
      Refuse(mark, "a tag (!name)");
    }
  }

  // Depth is at most kYamlDepthMax, so walking down from the root each time is cheap and needs no
  // pointers into growing vectors.
  YamlNode* Place() {
    YamlNode* node = &root_;
    for (int i = 1; i < depth_; ++i) {
      node = &node->children.back();
    }
    return node;
  }

  bool Room(const YAML::Mark& mark) {
    if (depth_ > kYamlDepthMax) {
      Refuse(mark, "nesting deeper than " + std::to_string(kYamlDepthMax) + " levels");
    } else if (nodes_ >= kYamlNodesMax) {
      Refuse(mark, "more than " + std::to_string(kYamlNodesMax) + " values");
    }
    return !error_;
  }

  void Add(const YAML::Mark& mark, YamlNode::Kind kind, const std::string& value) {
    if (!Room(mark)) {
      return;
    }
    ++nodes_;
    YamlNode node{kind, value, LineOf(mark), {}};
    if (depth_ == 0) {
      root_ = std::move(node);
    } else {
      Place()->children.push_back(std::move(node));
    }
  }

  void Open(const YAML::Mark& mark, YamlNode::Kind kind) {
    Add(mark, kind, {});
    ++depth_;
  }
  void Close() { --depth_; }

  int first_line_;
  std::string what_;
  int depth_ = 0;
  std::size_t nodes_ = 0;
  YamlNode root_;
  std::optional<Error> error_;
};

}  // namespace

Result<YamlNode> ReadYaml(std::string_view yaml, int first_line, const std::string& what) {
  TreeBuilder builder(first_line, what);
  try {
    // yaml-cpp 0.7 misses a quotation mark that is never closed when newlines end the text.
    std::istringstream in{std::string(TrimRight(yaml))};
    YAML::Parser parser(in);
    parser.HandleNextDocument(builder);
  } catch (const YAML::Exception& problem) {
    if (!builder.error()) {
      const int line = first_line + std::max(problem.mark.line, 0);
      return Fail(ErrorCode::kInvalidInput,
                  what + " line " + std::to_string(line) + " is not YAML: " + problem.msg,
                  "mend the line, or put quotation marks around the value");
    }
  }
  if (builder.error()) {
    return std::unexpected(*builder.error());
  }
  return builder.TakeRoot();
}

}  // namespace safeguard::moderation::reading
