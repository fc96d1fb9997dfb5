#include "storage/classifiers/index.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

namespace safeguard::storage {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "safeguard-classifiers";
constexpr int kDepthMax = 8;
constexpr std::size_t kUsesMax = 1000;
constexpr std::size_t kHashDigits = 64;

// Reading throws; ReadIndex catches. The messages name the field.
struct Wrong {
  std::string what;
};

std::string Text(const Json& object, const char* name) {
  const auto field = object.find(name);
  if (field == object.end() || !field->is_string()) {
    throw Wrong{std::string("\"") + name + "\" is missing or no text"};
  }
  return field->get<std::string>();
}

std::int64_t Number(const Json& object, const char* name, std::int64_t least) {
  const auto field = object.find(name);
  if (field == object.end() || !field->is_number_integer() || field->get<std::int64_t>() < least) {
    throw Wrong{std::string("\"") + name + "\" is missing or out of range"};
  }
  return field->get<std::int64_t>();
}

int Version(const Json& object) {
  const std::int64_t version = Number(object, "version", 1);
  if (version > 1'000'000) {
    throw Wrong{"\"version\" is out of range"};
  }
  return static_cast<int>(version);
}

const Json& List(const Json& object, const char* name, std::size_t most) {
  const auto field = object.find(name);
  if (field == object.end() || !field->is_array() || field->size() > most) {
    throw Wrong{std::string("\"") + name + "\" is missing, no list, or too long"};
  }
  return *field;
}

std::string Name(const Json& object) {
  std::string name = Text(object, "name");
  if (!CheckClassifierName(name)) {
    throw Wrong{"\"name\" is none"};
  }
  return name;
}

ClassifierEntry Entry(const Json& json) {
  ClassifierEntry entry;
  entry.policy_id = Text(json, "policy");
  entry.policy_hash = Text(json, "policy_hash");
  entry.name = Name(json);
  entry.version = Version(json);
  entry.hash = Text(json, "hash");
  if (entry.hash.size() != kHashDigits ||
      entry.hash.find_first_not_of("0123456789abcdef") != std::string::npos) {
    throw Wrong{"\"hash\" is none"};  // it becomes a file's name
  }
  entry.bytes = static_cast<std::uint64_t>(Number(json, "bytes", 0));
  entry.created_ms = Number(json, "created_ms", 0);
  entry.kind = Text(json, "kind");
  entry.summary = Text(json, "summary");
  return entry;
}

ClassifierIndex FromJson(const Json& json) {
  if (!json.is_object() || Text(json, "format") != kFormat || Number(json, "version", 1) != 1) {
    throw Wrong{"it is not an index of format 1"};
  }
  ClassifierIndex index;
  for (const Json& item : List(json, "classifiers", kClassifierEntriesMax)) {
    ClassifierEntry entry = Entry(item);
    if (index.Find(entry.policy_id, entry.name, entry.version) != nullptr) {
      throw Wrong{"it lists a version twice"};
    }
    index.entries.push_back(std::move(entry));
  }
  for (const Json& item : List(json, "highest", kClassifierEntriesMax)) {
    index.highest[{Text(item, "policy"), Name(item)}] = Version(item);
  }
  for (const Json& item : List(json, "uses", kClassifierEntriesMax)) {
    const std::string policy = Text(item, "policy");
    for (const Json& use : List(item, "history", kUsesMax)) {
      const auto band = use.find("band");
      if (band == use.end() || !band->is_boolean()) {
        throw Wrong{"\"band\" is missing"};
      }
      index.uses[policy].push_back({Name(use), Version(use), band->get<bool>()});
      const ClassifierUse& last = index.uses[policy].back();
      if (index.Find(policy, last.name, last.version) == nullptr) {
        throw Wrong{"it uses a version that it does not list"};
      }
    }
  }
  return index;
}

}  // namespace

Status CheckClassifierName(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  if (name.empty() || name.size() > kClassifierNameMax || name.front() == '.' ||
      name.front() == '-' || !std::ranges::all_of(name, fits)) {
    return Fail(ErrorCode::kInvalidInput,
                "a classifier's name has at most 64 letters, digits, '.', '_' and '-'",
                "as in --name spam-2026");
  }
  return {};
}

const ClassifierEntry* ClassifierIndex::Find(const std::string& policy_id, const std::string& name,
                                             int version) const {
  const auto found = std::ranges::find_if(entries, [&](const ClassifierEntry& entry) {
    return entry.policy_id == policy_id && entry.name == name && entry.version == version;
  });
  return found == entries.end() ? nullptr : &*found;
}

std::string WriteIndex(const ClassifierIndex& index) {
  Json json = {{"format", kFormat},
               {"version", 1},
               {"classifiers", Json::array()},
               {"highest", Json::array()},
               {"uses", Json::array()}};
  for (const ClassifierEntry& entry : index.entries) {
    json["classifiers"].push_back({{"policy", entry.policy_id},
                                   {"policy_hash", entry.policy_hash},
                                   {"name", entry.name},
                                   {"version", entry.version},
                                   {"hash", entry.hash},
                                   {"bytes", entry.bytes},
                                   {"created_ms", entry.created_ms},
                                   {"kind", entry.kind},
                                   {"summary", entry.summary}});
  }
  for (const auto& [key, version] : index.highest) {
    json["highest"].push_back({{"policy", key.first}, {"name", key.second}, {"version", version}});
  }
  for (const auto& [policy, uses] : index.uses) {
    Json history = Json::array();
    for (std::size_t i = uses.size() > kUsesMax ? uses.size() - kUsesMax : 0; i < uses.size();
         ++i) {
      history.push_back(
          {{"name", uses[i].name}, {"version", uses[i].version}, {"band", uses[i].band}});
    }
    json["uses"].push_back({{"policy", policy}, {"history", std::move(history)}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<ClassifierIndex> ReadIndex(std::string_view bytes, const std::string& name) {
  const auto fail = [&name](const std::string& what) {
    return Fail(ErrorCode::kCorruptFile, name + " is damaged: " + what,
                "restore it from a copy; the classifiers beside it are whole");
  };
  if (bytes.size() > kIndexBytesMax) {
    return fail("it is larger than 16 MiB");
  }
  const Json::parser_callback_t shallow = [](int depth, Json::parse_event_t, Json&) {
    return depth <= kDepthMax;
  };
  const Json json = Json::parse(bytes, shallow, /*allow_exceptions=*/false);
  try {
    return FromJson(json);
  } catch (const Wrong& wrong) {
    return fail(wrong.what);
  } catch (const Json::exception& problem) {
    return fail(problem.what());
  }
}

}  // namespace safeguard::storage
