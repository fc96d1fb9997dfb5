#include "apps/output/policy_diff_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/output/display_text.h"
#include "apps/output/table.h"

namespace safeguard::apps {
namespace {

using moderation::PartChange;
using moderation::WordChange;

std::string PartName(const PartChange& part) {
  const std::string& name = part.removed ? part.name_before : part.name_after;
  const int line = part.removed ? part.line_before : part.line_after;
  std::string text = moderation::ToString(part.kind);
  if (part.kind == moderation::PartKind::kExample) {
    text += fmt::format(" in line {}", line);
  } else if (!name.empty()) {
    text += " " + Printable(name);
  } else {
    text += fmt::format(" in line {}", line);
  }
  return text;
}

std::string Quoted(const std::string& text) {
  return text.empty() ? "(none)" : "\"" + Printable(text) + "\"";
}

// "text, side violating > safe, moved SP2 > SP3, renamed A1 > A2"
std::string Aspects(const PartChange& part) {
  std::vector<std::string> aspects;
  if (part.text_changed) {
    aspects.emplace_back("reworded");
  }
  if (part.side_changed) {
    aspects.push_back(fmt::format("side {} > {}", moderation::ToString(part.side_before),
                                  moderation::ToString(part.side_after)));
  }
  if (part.renamed) {
    aspects.push_back(
        fmt::format("was {}", part.name_before.empty() ? "unnamed" : Printable(part.name_before)));
  }
  if (part.moved) {
    aspects.push_back(part.level_before == part.level_after
                          ? fmt::format("moved from line {}", part.line_before)
                          : fmt::format("moved from {} to {}", Quoted(part.level_before),
                                        Quoted(part.level_after)));
  }
  std::string joined;
  for (const std::string& aspect : aspects) {
    joined += (joined.empty() ? "" : ", ") + aspect;
  }
  return joined;
}

// Without colours removed words stand in [-...-] and added ones in {+...+}, as wdiff writes them.
std::string WordsText(const std::vector<moderation::WordRun>& words, bool color) {
  std::string out;
  for (const moderation::WordRun& run : words) {
    const bool before = !run.text.empty() && run.text.front() == ' ';
    const bool after = !run.text.empty() && run.text.back() == ' ';
    const std::string text = Printable(run.text);
    const std::string body = (before && !text.starts_with(' ') ? " " : "") + text +
                             (after && !text.ends_with(' ') ? " " : "");
    switch (run.change) {
      case WordChange::kSame:
        out += body;
        break;
      case WordChange::kRemoved:
        out += color ? Styled(body, Style::kRed, true) : "[-" + body + "-]";
        break;
      case WordChange::kAdded:
        out += color ? Styled(body, Style::kGreen, true) : "{+" + body + "+}";
        break;
    }
  }
  return out;
}

std::string PartText(const PartChange& part, std::size_t width, bool color) {
  if (part.added) {
    return Styled("+ " + PartName(part), Style::kGreen, color) + "\n" +
           Wrap(Printable(part.text_after), width, 4);
  }
  if (part.removed) {
    return Styled("- " + PartName(part), Style::kRed, color) + "\n" +
           Wrap(Printable(part.text_before), width, 4);
  }
  std::string out =
      Styled("~ " + PartName(part), Style::kYellow, color) + ": " + Aspects(part) + "\n";
  if (part.text_changed) {
    // Escape codes have no width: a coloured line is broken by the terminal.
    const std::string words = WordsText(part.words, color);
    out += color ? "    " + words + "\n" : Wrap(words, width, 4);
  }
  return out;
}

std::string Range(const eval::FlipCount& count, bool sampled) {
  return sampled ? fmt::format("{:.0f} ({:.0f} to {:.0f})", count.flips.total, count.flips.low,
                               count.flips.high)
                 : fmt::format("{:.0f}", count.flips.total);
}

std::string Share(const eval::FlipCount& count) {
  return count.contents == 0 ? "-"
                             : fmt::format("{:.2f} %", count.flips.total * 100 /
                                                           static_cast<double>(count.contents));
}

struct CountTable {
  const char* title;
  const std::vector<eval::FlipCount>& counts;
  bool groups;  // has contents of its own
};

std::vector<CountTable> CountTables(const eval::BlastRadius& radius) {
  return {{"FLIP", radius.kinds, false},
          {"CLAUSE", radius.clauses, false},
          {"LANGUAGE", radius.languages, true},
          {"SURFACE", radius.surfaces, true}};
}

std::string CountsText(const CountTable& table, bool sampled, std::size_t width, bool color) {
  if (table.counts.empty()) {
    return {};
  }
  std::vector<Column> columns = {{table.title}};
  if (table.groups) {
    columns.push_back({"CONTENTS", true});
  }
  columns.push_back({"FLIPS", true});
  columns.push_back({"SHARE", true});
  std::vector<std::vector<Cell>> rows;
  for (const eval::FlipCount& count : table.counts) {
    std::vector<Cell> row = {{Printable(count.name), Style::kBold}};
    if (table.groups) {
      row.push_back({std::to_string(count.contents)});
    }
    row.push_back({Range(count, sampled)});
    row.push_back({Share(count)});
    rows.push_back(std::move(row));
  }
  return "\n" + RenderTable(columns, rows, width, color);
}

std::string VerdictShort(const moderation::Verdict& verdict) {
  std::string out = moderation::ToString(verdict.outcome);
  if (verdict.score) {
    out += fmt::format(" {:.2f}", *verdict.score);
  }
  for (const std::string& rule : verdict.rule_ids) {
    out += " " + Printable(rule);
  }
  return out;
}

std::string TellingText(const eval::BlastRadius& radius, std::size_t width, bool color) {
  std::string out;
  for (const eval::Flip& flip : radius.telling) {
    const std::string where = (flip.language.empty() ? "" : " " + flip.language) +
                              (flip.surface.empty() ? "" : " " + flip.surface);
    out += fmt::format("{}{}: {} > {}\n", Styled(Printable(flip.name), Style::kBold, color),
                       where.empty() ? "" : " " + Printable(where), VerdictShort(flip.before),
                       Styled(VerdictShort(flip.after),
                              flip.after.outcome == moderation::Outcome::kViolation ? Style::kRed
                              : flip.after.outcome == moderation::Outcome::kSafe    ? Style::kGreen
                                                                                 : Style::kYellow,
                              color));
    out += Wrap(Printable(flip.excerpt), width, 4);
  }
  return out.empty() ? out
                     : "\n" + Styled("The most telling flips", Style::kBold, color) + "\n" + out;
}

bool Sampled(const eval::BlastRadius& radius) {
  return radius.judged < radius.contents;
}

std::string RadiusHead(const PolicyDiffReport& report) {
  const eval::BlastRadius& radius = *report.radius;
  std::string out =
      fmt::format("Over {}: {} of {} contents flip ({})", Printable(report.over),
                  Range(radius.all, Sampled(radius)), radius.contents, Share(radius.all));
  if (Sampled(radius)) {
    out += fmt::format(
        ". {} were judged, drawn from {} strata; in parentheses the limits of {:.0f} % confidence",
        radius.judged, radius.strata, radius.confidence * 100);
  } else {
    out += ". All were judged";
  }
  return out + ".";
}

std::string Code(const std::string& text) {
  std::string out = Printable(text);
  std::ranges::replace(out, '`', '\'');
  std::ranges::replace(out, '|', '/');
  return out.empty() ? out : "`" + out + "`";
}

nlohmann::ordered_json CountsJson(const std::vector<eval::FlipCount>& counts) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const eval::FlipCount& count : counts) {
    list.push_back({{"name", count.name},
                    {"contents", count.contents},
                    {"seen", count.seen},
                    {"flips", count.flips.total},
                    {"low", count.flips.low},
                    {"high", count.flips.high}});
  }
  return list;
}

nlohmann::ordered_json SideJson(const moderation::Verdict& verdict) {
  return {{"outcome", moderation::ToString(verdict.outcome)},
          {"reason", moderation::ToString(verdict.reason)},
          {"score", verdict.score ? nlohmann::ordered_json(*verdict.score)
                                  : nlohmann::ordered_json(nullptr)},
          {"rule_ids", verdict.rule_ids}};
}

nlohmann::ordered_json RadiusJson(const PolicyDiffReport& report) {
  const eval::BlastRadius& radius = *report.radius;
  nlohmann::ordered_json telling = nlohmann::ordered_json::array();
  for (const eval::Flip& flip : radius.telling) {
    telling.push_back({{"name", flip.name},
                       {"language", flip.language},
                       {"surface", flip.surface},
                       {"before", SideJson(flip.before)},
                       {"after", SideJson(flip.after)},
                       {"excerpt", flip.excerpt}});
  }
  return {{"over", report.over},
          {"contents", radius.contents},
          {"judged", radius.judged},
          {"strata", radius.strata},
          {"confidence", radius.confidence},
          {"flips", radius.all.flips.total},
          {"low", radius.all.flips.low},
          {"high", radius.all.flips.high},
          {"kinds", CountsJson(radius.kinds)},
          {"clauses", CountsJson(radius.clauses)},
          {"languages", CountsJson(radius.languages)},
          {"surfaces", CountsJson(radius.surfaces)},
          {"seconds", radius.seconds},
          {"tokens",
           {{"prompt", radius.tokens.prompt},
            {"reasoning", radius.tokens.reasoning},
            {"answer", radius.tokens.answer}}},
          {"telling", std::move(telling)},
          {"notes", report.notes}};
}

std::string Version(const moderation::PolicyReference& reference) {
  return fmt::format("{} {} ({})", Printable(reference.id), Printable(reference.version),
                     reference.hash.substr(0, 12));
}

}  // namespace

std::string PolicyDiffText(const PolicyDiffReport& report, std::size_t width, bool color) {
  const moderation::PolicyDiff& diff = report.diff;
  std::string out = Styled("- " + Version(diff.before), Style::kRed, color) + "  " +
                    Printable(report.before_origin) + "\n" +
                    Styled("+ " + Version(diff.after), Style::kGreen, color) + "  " +
                    Printable(report.after_origin) + "\n\n";
  if (diff.empty()) {
    out += "No clause and no setting differs.\n";
  }
  for (const moderation::FieldChange& field : diff.fields) {
    out += fmt::format("{} {}: {} > {}\n", Styled("~", Style::kYellow, color), field.field,
                       Quoted(field.before), Quoted(field.after));
  }
  for (const PartChange& part : diff.parts) {
    out += PartText(part, width, color);
  }
  if (!report.radius) {
    return out;
  }
  out += "\n" + Wrap(RadiusHead(report), width, 0);
  for (const std::string& note : report.notes) {
    out += Wrap(Printable(note), width, 0);
  }
  for (const CountTable& table : CountTables(*report.radius)) {
    out += CountsText(table, Sampled(*report.radius), width, color);
  }
  return out + TellingText(*report.radius, width, color);
}

std::string PolicyDiffMarkdown(const PolicyDiffReport& report) {
  const moderation::PolicyDiff& diff = report.diff;
  std::string out = fmt::format("# {} to {}\n\n", Version(diff.before), Version(diff.after));
  if (diff.empty()) {
    out += "No clause and no setting differs.\n";
  } else {
    out += "| Change | Before | After |\n|---|---|---|\n";
  }
  for (const moderation::FieldChange& field : diff.fields) {
    out += fmt::format("| {} | {} | {} |\n", field.field, Code(field.before), Code(field.after));
  }
  for (const PartChange& part : diff.parts) {
    const std::string what = part.added ? "added" : part.removed ? "removed" : Aspects(part);
    out += fmt::format("| **{}** {} | {} | {} |\n", PartName(part), what, Code(part.text_before),
                       Code(part.text_after));
  }
  if (!report.radius) {
    return out;
  }
  const eval::BlastRadius& radius = *report.radius;
  out += "\n## What it does\n\n" + RadiusHead(report) + "\n";
  for (const std::string& note : report.notes) {
    out += "\n" + Printable(note) + "\n";
  }
  for (const CountTable& table : CountTables(radius)) {
    if (table.counts.empty()) {
      continue;
    }
    out += fmt::format("\n| {} | Flips | Share |\n|---|---:|---:|\n", table.title);
    for (const eval::FlipCount& count : table.counts) {
      out += fmt::format("| {} | {} | {} |\n", Code(count.name), Range(count, Sampled(radius)),
                         Share(count));
    }
  }
  if (!radius.telling.empty()) {
    out += "\n## The most telling flips\n\n| Content | Before | After |\n|---|---|---|\n";
    for (const eval::Flip& flip : radius.telling) {
      out += fmt::format("| {} {} | {} | {} |\n", Code(flip.name), Code(flip.excerpt),
                         VerdictShort(flip.before), VerdictShort(flip.after));
    }
  }
  return out;
}

nlohmann::ordered_json PolicyDiffJson(const PolicyDiffReport& report) {
  const auto reference = [](const moderation::PolicyReference& of) {
    return nlohmann::ordered_json{{"policy", of.id}, {"version", of.version}, {"hash", of.hash}};
  };
  nlohmann::ordered_json fields = nlohmann::ordered_json::array();
  for (const moderation::FieldChange& field : report.diff.fields) {
    fields.push_back({{"field", field.field}, {"before", field.before}, {"after", field.after}});
  }
  nlohmann::ordered_json parts = nlohmann::ordered_json::array();
  for (const PartChange& part : report.diff.parts) {
    nlohmann::ordered_json words = nlohmann::ordered_json::array();
    for (const moderation::WordRun& run : part.words) {
      words.push_back({run.change == WordChange::kSame      ? "same"
                       : run.change == WordChange::kRemoved ? "removed"
                                                            : "added",
                       run.text});
    }
    const auto side = [](const std::string& name, const std::string& text, moderation::Side of,
                         const std::string& level, int line) {
      return nlohmann::ordered_json{{"name", name},
                                    {"text", text},
                                    {"side", moderation::ToString(of)},
                                    {"level", level},
                                    {"line", line}};
    };
    nlohmann::ordered_json item = {{"kind", moderation::ToString(part.kind)},
                                   {"change", part.added     ? "added"
                                              : part.removed ? "removed"
                                                             : "changed"},
                                   {"reworded", part.text_changed},
                                   {"side_changed", part.side_changed},
                                   {"renamed", part.renamed},
                                   {"moved", part.moved}};
    if (!part.added) {
      item["before"] = side(part.name_before, part.text_before, part.side_before, part.level_before,
                            part.line_before);
    }
    if (!part.removed) {
      item["after"] = side(part.name_after, part.text_after, part.side_after, part.level_after,
                           part.line_after);
    }
    if (part.text_changed) {
      item["words"] = std::move(words);
    }
    parts.push_back(std::move(item));
  }
  nlohmann::ordered_json json = {{"before", reference(report.diff.before)},
                                 {"after", reference(report.diff.after)},
                                 {"fields", std::move(fields)},
                                 {"parts", std::move(parts)}};
  if (report.radius) {
    json["blast_radius"] = RadiusJson(report);
  }
  return json;
}

}  // namespace safeguard::apps
