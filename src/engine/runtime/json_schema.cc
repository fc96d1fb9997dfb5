#include "engine/runtime/json_schema.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/runtime/characters.h"
#include "engine/runtime/json_numbers.h"
#include "engine/runtime/regex_parser.h"

namespace safeguard::engine {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 12> kAnnotations = {
    "title",    "description", "default",  "examples",  "$schema", "$id",
    "$comment", "deprecated",  "readOnly", "writeOnly", "name",    "strict"};

std::string Shown(const std::string& text) {
  std::string shown = text.substr(0, 60);
  for (char& c : shown) {
    c = static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F ? '?' : c;
  }
  return shown;
}

class SchemaReader {
 public:
  SchemaReader(ExpressionArena& arena, JsonLayout layout) : arena_(arena) {
    const ExpressionId space = arena_.Literal(" ");
    const ExpressionId gap = layout == JsonLayout::kCompact  ? kEmpty
                             : layout == JsonLayout::kSpaced ? space
                                                             : arena_.Repeat(space, 0, 1);
    colon_ = arena_.Concat(arena_.Literal(":"), gap);
    comma_ = arena_.Concat(arena_.Literal(","), gap);
  }

  Result<ExpressionId> Read(const Json& schema) {
    const ExpressionId value = Value(schema, "", 0);
    if (!error_ && arena_.over_limit()) {
      error_ = Error{ErrorCode::kLimit, "the JSON schema is too large",
                     "use fewer properties, enum values and repetitions"};
    }
    if (error_) {
      return std::unexpected(std::move(*error_));
    }
    return value;
  }

 private:
  ExpressionId Refuse(const std::string& path, const std::string& what,
                      const std::string& hint = {}, ErrorCode code = ErrorCode::kInvalidInput) {
    if (!error_) {
      error_ = Error{
          code, "JSON schema, " + (path.empty() ? "top level" : Shown(path)) + ": " + what, hint};
    }
    return kNothing;
  }

  // Every key must be known: a keyword that is silently ignored would be a promise broken.
  bool KnowsKeys(const Json& schema, const std::string& path,
                 std::initializer_list<std::string_view> known) {
    for (const auto& [key, value] : schema.items()) {
      if (std::ranges::find(known, std::string_view(key)) == known.end() &&
          std::ranges::find(kAnnotations, std::string_view(key)) == kAnnotations.end()) {
        Refuse(path, "\"" + Shown(key) + "\" is not supported here",
               key == "oneOf" ? "use anyOf" : "engine/grammar.h lists what is");
        return false;
      }
    }
    return true;
  }

  ExpressionId Value(const Json& schema, const std::string& path, std::size_t depth) {
    if (error_) {
      return kNothing;
    }
    if (depth > kSchemaDepthMax) {
      return Refuse(path, "nested too deep",
                    "at most " + std::to_string(kSchemaDepthMax) + " levels", ErrorCode::kLimit);
    }
    if (!schema.is_object()) {
      return Refuse(path, "a schema must be an object");
    }
    ExpressionId value = kNothing;
    if (schema.contains("const")) {
      value = KnowsKeys(schema, path, {"const", "type", "nullable"})
                  ? Constant(schema, schema["const"], path + "/const")
                  : kNothing;
    } else if (schema.contains("enum")) {
      value = Enum(schema, path);
    } else if (schema.contains("anyOf")) {
      value = AnyOf(schema, path, depth);
    } else {
      value = Typed(schema, path, depth);
    }
    const auto nullable = schema.find("nullable");
    if (nullable == schema.end() || error_) {
      return value;
    }
    if (!nullable->is_boolean()) {
      return Refuse(path + "/nullable", "must be true or false");
    }
    return nullable->get<bool>() ? arena_.Alternatives({value, arena_.Literal("null")}) : value;
  }

  static bool HasType(const Json& value, const std::string& type) {
    return (type == "string" && value.is_string()) || (type == "boolean" && value.is_boolean()) ||
           (type == "null" && value.is_null()) ||
           (type == "integer" && value.is_number_integer()) ||
           (type == "number" && value.is_number());
  }

  ExpressionId Constant(const Json& schema, const Json& value, const std::string& path) {
    if (value.is_object() || value.is_array()) {
      return Refuse(path, "only strings, numbers, true, false and null are supported");
    }
    const auto type = schema.find("type");
    if (type != schema.end()) {
      const Json types = type->is_array() ? *type : Json::array({*type});
      const bool fits = std::ranges::any_of(types, [&](const Json& one) {
        return one.is_string() && HasType(value, one.get<std::string>());
      });
      if (!fits) {
        return Refuse(path, "a value that is not of the schema's type");
      }
    }
    return value.is_string()
               ? Quoted(SpellText(arena_, value.get<std::string>(), Spelling::kJsonString))
               : arena_.Literal(value.dump());
  }

  ExpressionId Enum(const Json& schema, const std::string& path) {
    const Json& values = schema["enum"];
    if (!KnowsKeys(schema, path, {"enum", "type", "nullable"})) {
      return kNothing;
    }
    if (!values.is_array() || values.empty() || values.size() > kSchemaEnumMax) {
      return Refuse(path + "/enum",
                    "must be a list of 1 to " + std::to_string(kSchemaEnumMax) + " values");
    }
    std::vector<ExpressionId> parts;
    for (std::size_t i = 0; i < values.size() && !error_; ++i) {
      parts.push_back(Constant(schema, values[i], path + "/enum/" + std::to_string(i)));
    }
    return arena_.Alternatives(std::move(parts));
  }

  ExpressionId AnyOf(const Json& schema, const std::string& path, std::size_t depth) {
    const Json& choices = schema["anyOf"];
    if (!KnowsKeys(schema, path, {"anyOf", "nullable"})) {
      return kNothing;
    }
    if (!choices.is_array() || choices.empty() || choices.size() > kSchemaEnumMax) {
      return Refuse(path + "/anyOf", "must be a list of schemas, not empty");
    }
    std::vector<ExpressionId> parts;
    for (std::size_t i = 0; i < choices.size() && !error_; ++i) {
      parts.push_back(Value(choices[i], path + "/anyOf/" + std::to_string(i), depth + 1));
    }
    return arena_.Alternatives(std::move(parts));
  }

  // `type` may be a list; every keyword must belong to one of its types.
  ExpressionId Typed(const Json& schema, const std::string& path, std::size_t depth) {
    if (!KnowsKeys(schema, path,
                   {"type", "nullable", "properties", "required", "additionalProperties", "items",
                    "minItems", "maxItems", "minLength", "maxLength", "pattern", "minimum",
                    "maximum", "exclusiveMinimum", "exclusiveMaximum"})) {
      return kNothing;
    }
    const auto type = schema.find("type");
    if (type == schema.end()) {
      return Refuse(path, "\"type\", \"enum\", \"const\" or \"anyOf\" is needed");
    }
    const Json types = type->is_array() ? *type : Json::array({*type});
    if (types.empty() || types.size() > 8) {
      return Refuse(path + "/type", "must name a type");
    }
    std::vector<ExpressionId> parts;
    for (const Json& one : types) {
      const std::string name = one.is_string() ? one.get<std::string>() : "";
      parts.push_back(name == "object"    ? Object(schema, path, depth)
                      : name == "array"   ? Array(schema, path, depth)
                      : name == "string"  ? String(schema, path)
                      : name == "integer" ? Number(schema, path, /*integer=*/true)
                      : name == "number"  ? Number(schema, path, /*integer=*/false)
                      : name == "boolean"
                          ? arena_.Alternatives({arena_.Literal("true"), arena_.Literal("false")})
                      : name == "null" ? arena_.Literal("null")
                                       : Refuse(path + "/type", "unknown type"));
    }
    return arena_.Alternatives(std::move(parts));
  }

  // A whole number at `key`, or `otherwise`.
  std::uint32_t Count(const Json& schema, const char* key, const std::string& path,
                      std::uint32_t otherwise) {
    const auto it = schema.find(key);
    if (it == schema.end()) {
      return otherwise;
    }
    if (!it->is_number_unsigned() || it->get<std::uint64_t>() > kSchemaCountMax) {
      Refuse(path + "/" + key,
             "must be a whole number from 0 to " + std::to_string(kSchemaCountMax));
      return otherwise;
    }
    return it->get<std::uint32_t>();
  }

  ExpressionId Quoted(ExpressionId text) {
    const ExpressionId quote = arena_.Literal("\"");
    return arena_.Concat(quote, arena_.Concat(text, quote));
  }

  ExpressionId String(const Json& schema, const std::string& path) {
    const std::uint32_t min = Count(schema, "minLength", path, 0);
    const std::uint32_t max = Count(schema, "maxLength", path, kUnbounded);
    if (min > max) {
      return Refuse(path, "minLength is above maxLength");
    }
    const ExpressionId character =
        SpellCharacter(arena_, CharacterSet::All(), Spelling::kJsonString);
    ExpressionId text = arena_.Repeat(character, min, max);
    const auto pattern = schema.find("pattern");
    if (pattern != schema.end()) {
      if (!pattern->is_string()) {
        return Refuse(path + "/pattern", "must be a string");
      }
      const Result<ExpressionId> matched = ParseRegex(arena_, pattern->get<std::string>(),
                                                      Spelling::kJsonString, RegexMatch::kSearch);
      if (!matched) {
        return Refuse(path + "/pattern", matched.error().message, matched.error().hint,
                      matched.error().code);
      }
      text = min == 0 && max == kUnbounded ? *matched : arena_.Both(text, *matched);
    }
    return Quoted(text);
  }

  std::optional<Decimal> Bound(const Json& schema, const char* key, const std::string& path) {
    const auto it = schema.find(key);
    if (it == schema.end()) {
      return std::nullopt;
    }
    if (!it->is_number()) {
      Refuse(path + "/" + key, "must be a number");
      return std::nullopt;
    }
    Result<Decimal> bound = ParseDecimal(it->dump());
    if (!bound) {
      Refuse(path + "/" + key, bound.error().message, bound.error().hint, bound.error().code);
      return std::nullopt;
    }
    return std::move(*bound);
  }

  ExpressionId Number(const Json& schema, const std::string& path, bool integer) {
    NumberRange range;
    if ((schema.contains("minimum") && schema.contains("exclusiveMinimum")) ||
        (schema.contains("maximum") && schema.contains("exclusiveMaximum"))) {
      return Refuse(path, "a bound and its exclusive form together", "keep one of the two");
    }
    if (const auto bound = Bound(schema, "minimum", path)) {
      range.low = *bound;
    }
    if (const auto bound = Bound(schema, "exclusiveMinimum", path)) {
      range.low = *bound;
      range.low_exclusive = true;
    }
    if (const auto bound = Bound(schema, "maximum", path)) {
      range.high = *bound;
    }
    if (const auto bound = Bound(schema, "exclusiveMaximum", path)) {
      range.high = *bound;
      range.high_exclusive = true;
    }
    return integer ? IntegersIn(arena_, range) : NumbersIn(arena_, range);
  }

  ExpressionId Array(const Json& schema, const std::string& path, std::size_t depth) {
    const std::uint32_t min = Count(schema, "minItems", path, 0);
    const std::uint32_t max = Count(schema, "maxItems", path, kUnbounded);
    if (min > max) {
      return Refuse(path, "minItems is above maxItems");
    }
    const auto items = schema.find("items");
    if (items == schema.end()) {
      return Refuse(path, "an array needs \"items\"");
    }
    const ExpressionId item = Value(*items, path + "/items", depth + 1);
    ExpressionId list = kEmpty;
    if (max > 0) {
      const std::uint32_t more_max = max == kUnbounded ? kUnbounded : max - 1;
      const ExpressionId more =
          arena_.Repeat(arena_.Concat(comma_, item), min == 0 ? 0 : min - 1, more_max);
      list = arena_.Repeat(arena_.Concat(item, more), min == 0 ? 0 : 1, 1);
    }
    return arena_.Concat(arena_.Literal("["), arena_.Concat(list, arena_.Literal("]")));
  }

  struct Property {
    ExpressionId text = kNothing;  // "name":value
    bool required = false;
  };

  bool ReadRequired(const Json& schema, const std::string& path, const Json& properties,
                    std::vector<std::string>& names) {
    const auto required = schema.find("required");
    if (required == schema.end()) {
      return true;
    }
    if (!required->is_array() || required->size() > kSchemaPropertiesMax) {
      Refuse(path + "/required", "must be a list of property names");
      return false;
    }
    for (const Json& name : *required) {
      if (!name.is_string() || !properties.contains(name.get<std::string>())) {
        Refuse(path + "/required", "names what is not in properties");
        return false;
      }
      names.push_back(name.get<std::string>());
    }
    return true;
  }

  ExpressionId Object(const Json& schema, const std::string& path, std::size_t depth) {
    static const Json kNone = Json::object();
    const auto found = schema.find("properties");
    const Json& properties = found == schema.end() ? kNone : *found;
    const auto additional = schema.find("additionalProperties");
    if (additional != schema.end() && *additional != false) {
      return Refuse(path + "/additionalProperties", "must be false or absent",
                    "list every property");
    }
    if (!properties.is_object() || properties.size() > kSchemaPropertiesMax) {
      return Refuse(path + "/properties", "must be an object of at most " +
                                              std::to_string(kSchemaPropertiesMax) + " schemas");
    }
    std::vector<std::string> required;
    if (!ReadRequired(schema, path, properties, required)) {
      return kNothing;
    }
    std::vector<Property> list;
    for (const auto& [name, value] : properties.items()) {
      const ExpressionId key = Quoted(SpellText(arena_, name, Spelling::kJsonString));
      std::string place = path;
      place += "/properties/";
      place += name;
      const ExpressionId inner = Value(value, place, depth + 1);
      list.push_back({arena_.Concat(key, arena_.Concat(colon_, inner)),
                      std::ranges::find(required, name) != required.end()});
    }
    return arena_.Concat(arena_.Literal("{"), Properties(list));
  }

  // From the last property to the first; `first` is the rest of the object when nothing was
  // written before it, `later` when something was.
  ExpressionId Properties(const std::vector<Property>& list) {
    const ExpressionId close = arena_.Literal("}");
    ExpressionId first = close;
    ExpressionId later = close;
    for (std::size_t i = list.size(); i-- > 0;) {
      const ExpressionId written = arena_.Concat(list[i].text, later);
      const ExpressionId after_comma = arena_.Concat(comma_, written);
      first = list[i].required ? written : arena_.Alternatives({written, first});
      later = list[i].required ? after_comma : arena_.Alternatives({after_comma, later});
    }
    return first;
  }

  ExpressionArena& arena_;
  ExpressionId colon_ = kEmpty;
  ExpressionId comma_ = kEmpty;
  std::optional<Error> error_;
};

}  // namespace

Result<ExpressionId> ParseJsonSchema(ExpressionArena& arena, std::string_view schema,
                                     JsonLayout layout) {
  if (schema.size() > kSchemaBytesMax) {
    return Fail(ErrorCode::kLimit, "JSON schema of " + std::to_string(schema.size()) + " bytes",
                "at most " + std::to_string(kSchemaBytesMax));
  }
  const Json document = Json::parse(schema, nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) {
    return Fail(ErrorCode::kInvalidInput, "the JSON schema is not valid JSON");
  }
  return SchemaReader(arena, layout).Read(document);
}

}  // namespace safeguard::engine
