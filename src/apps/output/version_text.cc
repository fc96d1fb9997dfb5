#include "apps/output/version_text.h"

#include <fmt/format.h>

#include <vector>

#include "apps/output/display_text.h"
#include "apps/output/table.h"
#include "base/utc_time.h"
#include "http/domain_json.h"

namespace safeguard::apps {
namespace {

using moderation::EventKind;
using moderation::StoreEvent;
using moderation::VersionInfo;
using moderation::VersionState;
using Json = nlohmann::ordered_json;

constexpr std::size_t kShortHash = 12;

// "2026-11-28 15:45": UTC, as fine as a person needs.
std::string Minute(moderation::TimeMs time) {
  std::string text = UtcText(time).substr(0, 16);
  text[10] = ' ';
  return text;
}

Style StyleOf(VersionState state) {
  switch (state) {
    case VersionState::kActive:
      return Style::kGreen;
    case VersionState::kCanary:
      return Style::kYellow;
    case VersionState::kShadow:
      return Style::kBold;
    case VersionState::kRetired:
      return Style::kDim;
    case VersionState::kDraft:
      break;
  }
  return Style::kPlain;
}

std::string WhatHappened(const StoreEvent& event) {
  switch (event.kind) {
    case EventKind::kPublish:
      return "published as draft, hash " + ShortHash(event.hash);
    case EventKind::kApprove:
      return "approved";
    case EventKind::kMove:
      if (event.from == VersionState::kCanary && event.to == VersionState::kCanary) {
        return fmt::format("canary, now for {:g}%", event.canary_percent);
      }
      return fmt::format(
          "{} -> {}{}", ToString(event.from), ToString(event.to),
          event.to == VersionState::kCanary ? fmt::format(" for {:g}%", event.canary_percent) : "");
    case EventKind::kRollback:
      return "rolled back to: active again";
    case EventKind::kRetirePolicy:
      return "every version retired";
    case EventKind::kTwoPersonRule:
      return event.two_person ? std::string("two-person rule ") + (*event.two_person ? "on" : "off")
                              : "two-person rule as the store says";
  }
  return "";
}

}  // namespace

std::string VersionName(const VersionInfo& version) {
  return version.policy_id + "@" + std::to_string(version.number);
}

std::string ShortHash(const std::string& hash) {
  return hash.substr(0, kShortHash);
}

std::string StateText(const VersionInfo& version) {
  return version.state == VersionState::kCanary
             ? fmt::format("canary {:g}%", version.canary_percent)
             : ToString(version.state);
}

Json VersionJson(const VersionInfo& version) {
  return http::VersionJson(version);
}

Json EventJson(const StoreEvent& event) {
  return http::EventJson(event);
}

std::string VersionTable(std::span<const VersionInfo> versions, std::size_t width, bool color) {
  std::vector<std::vector<Cell>> rows;
  for (std::size_t i = versions.size(); i-- > 0;) {
    const VersionInfo& version = versions[i];
    rows.push_back({{VersionName(version), Style::kBold},
                    {StateText(version), StyleOf(version.state)},
                    {ShortHash(version.hash), Style::kDim},
                    {Minute(version.created)},
                    {Printable(version.author)},
                    {version.approved_by.empty() ? "-" : Printable(version.approved_by)},
                    {Printable(version.note)}});
  }
  return RenderTable({{"VERSION"},
                      {"STATE"},
                      {"HASH"},
                      {"CREATED (UTC)"},
                      {"AUTHOR"},
                      {"APPROVED BY"},
                      {"NOTE", false, true}},
                     rows, width, color);
}

std::string EventTable(std::span<const StoreEvent> events, std::size_t width, bool color) {
  std::vector<std::vector<Cell>> rows;
  for (const StoreEvent& event : events) {
    const std::string policy = event.policy_id.empty() ? "(the store)" : event.policy_id;
    rows.push_back(
        {{Minute(event.when), Style::kDim},
         {event.number == 0 ? policy : policy + "@" + std::to_string(event.number), Style::kBold},
         {WhatHappened(event), StyleOf(event.to)},
         {Printable(event.who)},
         {event.why.empty() ? "-" : Printable(event.why)}});
  }
  return RenderTable({{"WHEN (UTC)"}, {"VERSION"}, {"WHAT"}, {"WHO"}, {"WHY", false, true}}, rows,
                     width, color);
}

}  // namespace safeguard::apps
