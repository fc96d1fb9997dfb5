#include "apps/output/policy_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "apps/output/display_text.h"
#include "apps/output/table.h"

namespace safeguard::apps {
namespace {

using moderation::Policy;
using moderation::Side;
using Json = nlohmann::ordered_json;

const char* SideName(Side side) {
  switch (side) {
    case Side::kViolating:
      return "violates";
    case Side::kSafe:
      return "safe";
    case Side::kNone:
      return "-";
  }
  return "-";
}

Cell SideCell(Side side) {
  const Style style = side == Side::kViolating ? Style::kRed
                      : side == Side::kSafe    ? Style::kGreen
                                               : Style::kDim;
  return {SideName(side), style};
}

Cell LineCell(int line) {
  return {std::to_string(line), Style::kDim};
}

std::string Joined(const std::vector<std::string>& parts) {
  std::string joined;
  for (const std::string& part : parts) {
    joined += (joined.empty() ? "" : ", ") + Printable(part);
  }
  return joined;
}

const Column kLine = {"LINE", true, false};
const Column kText = {"TEXT", false, true};

std::string Table(const std::string& title, const std::vector<Column>& columns,
                  const std::vector<std::vector<Cell>>& rows, std::size_t width, bool color) {
  if (rows.empty()) {
    return fmt::format("\n{}: none\n", title);
  }
  return fmt::format("\n{} ({})\n", Styled(title, Style::kBold, color), rows.size()) +
         RenderTable(columns, rows, width, color);
}

std::string Header(const Policy& policy, const std::string& origin, bool color) {
  std::string out = Styled(Printable(policy.name), Style::kBold, color) + "\n";
  const auto field = [&out](const char* name, const std::string& value) {
    if (!value.empty()) {
      out += fmt::format("  {:<12}{}\n", name, value);
    }
  };
  field("from", Printable(origin));
  field("id", Printable(policy.id));
  field("version", Printable(policy.version));
  field("hash", policy.hash);
  field("languages", Joined(policy.languages));
  field("labels", Joined(policy.labels));
  for (const auto& [label, meaning] : policy.label_meanings) {
    field("", Printable(label) + " means " + Printable(meaning));
  }
  field("output", Printable(policy.output));
  if (policy.thresholds) {
    field("thresholds", fmt::format("violation at {:g} and above, safe below {:g}",
                                    policy.thresholds->violation, policy.thresholds->safe));
  }
  return out;
}

}  // namespace

std::string PolicyText(const Policy& policy, const std::string& origin, std::size_t width,
                       bool color) {
  std::string out = Header(policy, origin, color);
  std::vector<std::vector<Cell>> rows;
  rows.reserve(policy.sections.size());
  for (const moderation::Section& section : policy.sections) {
    rows.push_back(
        {{fmt::format("{}-{}", section.line_begin, section.line_end), Style::kDim},
         SideCell(section.side),
         {std::string(2 * static_cast<std::size_t>(std::max(section.heading_level - 1, 0)), ' ') +
          Printable(section.title)}});
  }
  out += Table("Sections", {{"LINES", true, false}, {"SIDE"}, kText}, rows, width, color);
  rows.clear();
  for (const moderation::Level& level : policy.levels) {
    rows.push_back({LineCell(level.line),
                    {Printable(level.id), Style::kBold},
                    SideCell(level.side),
                    {Printable(level.output)},
                    {Printable(level.name + (level.text.empty() ? "" : ": " + level.text))}});
  }
  out += Table("Levels", {kLine, {"ID"}, {"SIDE"}, {"OUTPUT"}, kText}, rows, width, color);
  rows.clear();
  for (const moderation::Rule& rule : policy.rules) {
    rows.push_back({LineCell(rule.line),
                    {Printable(rule.id) + (rule.id_written ? "" : "*"), Style::kBold},
                    SideCell(rule.side),
                    {Printable(rule.level_id)},
                    {(rule.rest ? "[the rest] " : "") + Printable(rule.text)}});
  }
  out += Table("Rules", {kLine, {"ID"}, {"SIDE"}, {"LEVEL"}, kText}, rows, width, color);
  rows.clear();
  for (const moderation::Definition& definition : policy.definitions) {
    rows.push_back({LineCell(definition.line),
                    {Printable(definition.term), Style::kBold},
                    {Printable(definition.text)}});
  }
  out += Table("Definitions", {kLine, {"TERM"}, kText}, rows, width, color);
  rows.clear();
  for (const moderation::Example& example : policy.examples) {
    rows.push_back({LineCell(example.line),
                    SideCell(example.side),
                    {Printable(example.label)},
                    {Joined(example.rule_ids)},
                    {Printable(example.text)}});
  }
  out += Table("Examples", {kLine, {"SIDE"}, {"LABEL"}, {"RULES"}, kText}, rows, width, color);
  const bool made_up = std::ranges::any_of(
      policy.rules, [](const moderation::Rule& rule) { return !rule.id_written; });
  return out +
         (made_up ? "\n* the author gave no id; this one is made from the rule's place\n" : "");
}

Json PolicyJson(const Policy& policy) {
  Json object = {{"policy", policy.id},
                 {"name", policy.name},
                 {"policy_version", policy.version},
                 {"policy_hash", policy.hash},
                 {"languages", policy.languages},
                 {"labels", policy.labels},
                 {"label_meanings", policy.label_meanings},
                 {"output", policy.output},
                 {"thresholds", nullptr}};
  if (policy.thresholds) {
    object["thresholds"] = {{"violation", policy.thresholds->violation},
                            {"safe", policy.thresholds->safe}};
  }
  for (const char* list : {"sections", "levels", "rules", "definitions", "examples"}) {
    object[list] = Json::array();
  }
  for (const moderation::Section& section : policy.sections) {
    object["sections"].push_back({{"title", section.title},
                                  {"heading_level", section.heading_level},
                                  {"side", moderation::ToString(section.side)},
                                  {"line_begin", section.line_begin},
                                  {"line_end", section.line_end}});
  }
  for (const moderation::Level& level : policy.levels) {
    object["levels"].push_back({{"id", level.id},
                                {"name", level.name},
                                {"text", level.text},
                                {"output", level.output},
                                {"side", moderation::ToString(level.side)},
                                {"line", level.line}});
  }
  for (const moderation::Rule& rule : policy.rules) {
    object["rules"].push_back({{"id", rule.id},
                               {"id_written", rule.id_written},
                               {"side", moderation::ToString(rule.side)},
                               {"level", rule.level_id},
                               {"section", rule.section},
                               {"text", rule.text},
                               {"rest", rule.rest},
                               {"line", rule.line}});
  }
  for (const moderation::Definition& definition : policy.definitions) {
    object["definitions"].push_back(
        {{"term", definition.term}, {"text", definition.text}, {"line", definition.line}});
  }
  for (const moderation::Example& example : policy.examples) {
    object["examples"].push_back({{"text", example.text},
                                  {"label", example.label},
                                  {"rule_ids", example.rule_ids},
                                  {"side", moderation::ToString(example.side)},
                                  {"line", example.line}});
  }
  return object;
}

}  // namespace safeguard::apps
