// `safeguard screen list|show|use|remove|rollback`.
#include <fmt/format.h>

#include <charconv>
#include <map>
#include <utility>

#include "apps/commands/commands.h"
#include "apps/commands/screen_commands.h"
#include "apps/input/data_folder.h"
#include "apps/input/policy_catalog.h"
#include "apps/output/byte_size.h"
#include "apps/output/display_text.h"
#include "apps/output/table.h"
#include "apps/output/verdict_json.h"
#include "base/utc_time.h"
#include "judges/classifier_card.h"
#include "storage/classifier_store.h"

namespace safeguard::apps {
namespace {

using storage::ActiveClassifier;
using storage::ClassifierEntry;
using storage::ClassifierStore;

std::string NameOf(const ClassifierEntry& entry) {
  return entry.name + "@" + std::to_string(entry.version);
}

nlohmann::ordered_json EntryJson(const ClassifierEntry& entry, bool active, bool band) {
  return {{"policy", entry.policy_id}, {"policy_hash", entry.policy_hash},
          {"name", entry.name},        {"version", entry.version},
          {"active", active},          {"band", band},
          {"kind", entry.kind},        {"hash", entry.hash},
          {"bytes", entry.bytes},      {"created", UtcText(entry.created_ms)},
          {"summary", entry.summary}};
}

// "NAME" or "NAME@3"; version 0 is the newest.
Result<std::pair<std::string, int>> ParseName(const std::string& text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string::npos) {
    return std::pair(text, 0);
  }
  int version = 0;
  const char* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data() + at + 1, end, version);
  if (problem != std::errc() || stop != end || version < 1) {
    return Fail(ErrorCode::kInvalidInput, text + " names no version",
                "write NAME@1, or NAME for the newest");
  }
  return std::pair(text.substr(0, at), version);
}

class Manager {
 public:
  Manager(const ScreenManageArguments& arguments, Services& services, Console& console,
          const std::string& folder)
      : arguments_(arguments), services_(services), console_(console), store_(folder) {}

  Status Run() {
    if (arguments_.verb == ScreenVerb::kList) {
      return List();
    }
    if (arguments_.verb == ScreenVerb::kRollback) {
      return Tell(store_.Rollback(PolicyId()), "answers again");
    }
    const Result<std::pair<std::string, int>> name = ParseName(arguments_.classifier);
    if (!name) {
      return std::unexpected(name.error());
    }
    const Result<ClassifierEntry> entry = store_.Find(PolicyId(), name->first, name->second);
    if (!entry) {
      return std::unexpected(entry.error());
    }
    if (arguments_.verb == ScreenVerb::kShow) {
      return Show(*entry);
    }
    if (arguments_.verb == ScreenVerb::kUse) {
      return Use(*entry);
    }
    if (const Status removed = store_.Remove(*entry, arguments_.force); !removed) {
      return removed;
    }
    console_.Out(arguments_.json ? JsonLine({{"removed", NameOf(*entry)}}) + "\n"
                                 : fmt::format("{} of the policy {} is removed.\n", NameOf(*entry),
                                               Printable(entry->policy_id)));
    return {};
  }

 private:
  // What --policy says may be an id, or anything that names a policy.
  std::string PolicyId() {
    const PolicyCatalog catalog(services_.shipped_policies(), arguments_.data_dir);
    const Result<LoadedPolicy> loaded = catalog.Load(arguments_.policy, "", Golden::kIgnore);
    return loaded ? loaded->policy.id : arguments_.policy;
  }

  Status Use(const ClassifierEntry& entry) {
    if (arguments_.band) {
      const Result<std::string> bytes = store_.Read(entry);
      if (!bytes) {
        return std::unexpected(bytes.error());
      }
      const auto file = judges::ReadClassifier(*bytes, NameOf(entry));
      if (!file) {
        return std::unexpected(file.error());
      }
      if (!file->card.band) {
        return Fail(ErrorCode::kInvalidInput,
                    NameOf(entry) + " has no uncertain band: " + file->card.why_no_band,
                    "train it with more labels, or leave --band out");
      }
    }
    return Tell(store_.Use(entry, arguments_.band), "answers now");
  }

  Status Tell(const Result<ActiveClassifier>& active, const char* what) {
    if (!active) {
      return std::unexpected(active.error());
    }
    console_.Out(arguments_.json
                     ? JsonLine(EntryJson(active->entry, true, active->band)) + "\n"
                     : fmt::format("{} {} for the policy {} under --judge dedicated{}.\n",
                                   NameOf(active->entry), what, Printable(active->entry.policy_id),
                                   active->band ? "; inside its band it leaves undecided" : ""));
    return {};
  }

  Result<std::map<std::string, ActiveClassifier>> Actives(
      const std::vector<ClassifierEntry>& entries) {
    std::map<std::string, ActiveClassifier> actives;
    for (const ClassifierEntry& entry : entries) {
      Result<std::optional<ActiveClassifier>> active = store_.Active(entry.policy_id);
      if (!active) {
        return std::unexpected(active.error());
      }
      if (*active) {
        actives[entry.policy_id] = std::move(**active);
      }
    }
    return actives;
  }

  Status List() {
    Result<std::vector<ClassifierEntry>> entries = store_.List();
    if (!entries) {
      return std::unexpected(entries.error());
    }
    if (!arguments_.policy.empty()) {
      const std::string id = PolicyId();
      std::erase_if(*entries, [&id](const ClassifierEntry& e) { return e.policy_id != id; });
    }
    const auto actives = Actives(*entries);
    if (!actives) {
      return std::unexpected(actives.error());
    }
    std::vector<std::vector<Cell>> rows;
    for (const ClassifierEntry& entry : *entries) {
      const auto found = actives->find(entry.policy_id);
      const bool active = found != actives->end() && found->second.entry.name == entry.name &&
                          found->second.entry.version == entry.version;
      const bool band = active && found->second.band;
      if (arguments_.json) {
        console_.Out(JsonLine(EntryJson(entry, active, band)) + "\n");
      }
      rows.push_back({{active ? "*" : " "},
                      {Printable(entry.policy_id)},
                      {NameOf(entry)},
                      {entry.kind + (band ? ", band" : "")},
                      {UtcText(entry.created_ms).substr(0, 16)},
                      {ByteSize(entry.bytes)},
                      {Printable(entry.summary)}});
    }
    if (arguments_.json) {
      return {};
    }
    console_.Out(rows.empty()
                     ? "There are no classifiers; `safeguard screen train` makes one.\n"
                     : RenderTable({{""},
                                    {"policy"},
                                    {"classifier"},
                                    {"kind"},
                                    {"made"},
                                    {"size", true},
                                    {"on its test", false, true}},
                                   rows, console_.columns(), UseColor(console_, arguments_.color)));
    return {};
  }

  Status Show(const ClassifierEntry& entry) {
    const Result<std::string> bytes = store_.Read(entry);
    if (!bytes) {
      return std::unexpected(bytes.error());
    }
    const Result<judges::ClassifierFile> file = judges::ReadClassifier(*bytes, NameOf(entry));
    if (!file) {
      return std::unexpected(file.error());
    }
    const judges::ClassifierCard& card = file->card;
    if (arguments_.json) {
      nlohmann::ordered_json json = EntryJson(entry, false, false);
      json.erase("active");
      json.erase("band");
      json["threshold"] = card.threshold;
      json["report"] = nlohmann::ordered_json::parse(card.report, nullptr, false);
      console_.Out(JsonLine(json) + "\n");
      return {};
    }
    std::string out = fmt::format(
        "{} for the policy {}, made {}\nkind       {}, {} on the disk, file {}\nlabels     {} "
        "violations and {} safe texts, hash {}\nthreshold  {:.3f}\n",
        NameOf(entry), Printable(entry.policy_id), UtcText(entry.created_ms), entry.kind,
        ByteSize(entry.bytes), entry.hash.substr(0, 16), card.positives, card.negatives,
        card.labels_hash.substr(0, 16), card.threshold);
    out += card.band ? fmt::format(
                           "band       {:.3f} to {:.3f}: at most {:g} % of violations "
                           "below, {:g} % of safe texts above\n",
                           card.band->safe, card.band->violation, card.band->miss_rate * 100,
                           card.band->alarm_rate * 100)
                     : "band       none: " + Printable(card.why_no_band) + "\n";
    out += "on a test  " + Printable(entry.summary) + "\n";
    const PolicyCatalog catalog(services_.shipped_policies(), arguments_.data_dir);
    const Result<LoadedPolicy> now = catalog.Load(arguments_.policy, "", Golden::kIgnore);
    if (now && now->policy.hash != entry.policy_hash) {
      out += "The policy's text has changed since the labels were given: they may no longer fit.\n";
    }
    console_.Out(out);
    return {};
  }

  const ScreenManageArguments& arguments_;
  Services& services_;
  Console& console_;
  ClassifierStore store_;
};

}  // namespace

ExitCode RunScreenManage(const ScreenManageArguments& arguments, Services& services,
                         Console& console) {
  const Result<std::string> folder = DataFolder(arguments.data_dir);
  if (!folder) {
    return Fails(console, folder.error(), ExitCode::kUsage);
  }
  const Status done = Manager(arguments, services, console, *folder).Run();
  return done ? ExitCode::kSafe : Fails(console, done.error(), StoreExitCode(done.error()));
}

}  // namespace safeguard::apps
