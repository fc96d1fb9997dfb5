#include "engine/model/safetensors_header.h"

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace safeguard::engine {
namespace {

struct NamedDtype {
  std::string_view name;
  Dtype dtype;
};

constexpr std::array kDtypes = {
    NamedDtype{"BOOL", Dtype::kBool},      NamedDtype{"U8", Dtype::kU8},
    NamedDtype{"I8", Dtype::kI8},          NamedDtype{"F8_E4M3", Dtype::kF8E4M3},
    NamedDtype{"F8_E5M2", Dtype::kF8E5M2}, NamedDtype{"U16", Dtype::kU16},
    NamedDtype{"I16", Dtype::kI16},        NamedDtype{"F16", Dtype::kF16},
    NamedDtype{"BF16", Dtype::kBF16},      NamedDtype{"U32", Dtype::kU32},
    NamedDtype{"I32", Dtype::kI32},        NamedDtype{"F32", Dtype::kF32},
    NamedDtype{"U64", Dtype::kU64},        NamedDtype{"I64", Dtype::kI64},
    NamedDtype{"F64", Dtype::kF64},
};

std::optional<Dtype> DtypeFromName(std::string_view name) {
  for (const NamedDtype& known : kDtypes) {
    if (known.name == name) {
      return known.dtype;
    }
  }
  return std::nullopt;
}

// Receives nlohmann's parse events. Each method returns false to stop, with `problem` set.
class HeaderReader {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  bool null() { return Unexpected("null"); }
  bool boolean(bool /*value*/) { return Unexpected("a boolean"); }
  bool number_integer(number_integer_t /*value*/) { return Unexpected("a negative number"); }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) {
    return Unexpected("a fraction");
  }
  bool binary(binary_t& /*value*/) { return Unexpected("binary"); }
  bool number_unsigned(number_unsigned_t value);
  bool string(string_t& value);
  bool start_object(std::size_t size);
  bool key(string_t& value);
  bool end_object();
  bool start_array(std::size_t size);
  bool end_array();
  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::detail::exception& error);

  std::vector<TensorEntry> entries;
  std::string problem;

 private:
  enum class Place { kStart, kTop, kMetadata, kTensor, kShape, kOffsets, kEnd };

  bool Stop(std::string why) {
    problem = std::move(why);
    return false;
  }
  bool StopAt(const char* why) { return Stop("tensor " + QuoteName(entries.back().name) + why); }
  bool Unexpected(const char* what);
  bool MarkField(bool& seen);

  Place place_ = Place::kStart;
  std::string field_;  // the key whose value comes next
  bool has_dtype_ = false;
  bool has_shape_ = false;
  bool has_offsets_ = false;
  std::vector<std::uint64_t> offsets_;
};

bool HeaderReader::Unexpected(const char* what) {
  const bool in_tensor =
      place_ == Place::kTensor || place_ == Place::kShape || place_ == Place::kOffsets;
  return in_tensor ? Stop("tensor " + QuoteName(entries.back().name) + ": unexpected " + what)
                   : Stop(std::string("the header holds unexpected ") + what);
}

bool HeaderReader::MarkField(bool& seen) {
  if (seen) {
    return Stop("tensor " + QuoteName(entries.back().name) + " has " + field_ + " twice");
  }
  seen = true;
  return true;
}

bool HeaderReader::number_unsigned(number_unsigned_t value) {
  if (place_ == Place::kShape) {
    std::vector<std::uint64_t>& shape = entries.back().shape;
    if (shape.size() == kSafetensorsDimensionsMax) {
      return StopAt(" has more than 8 dimensions");
    }
    shape.push_back(value);
    return true;
  }
  if (place_ == Place::kOffsets) {
    if (offsets_.size() == 2) {
      return StopAt(" has more than two data_offsets");
    }
    offsets_.push_back(value);
    return true;
  }
  return Unexpected("a number");
}

bool HeaderReader::string(string_t& value) {
  if (place_ == Place::kMetadata) {
    return true;
  }
  if (place_ != Place::kTensor || field_ != "dtype") {
    return Unexpected("a string");
  }
  const std::optional<Dtype> dtype = DtypeFromName(value);
  if (!dtype) {
    return Stop("tensor " + QuoteName(entries.back().name) + " has unknown dtype " +
                QuoteName(value));
  }
  entries.back().dtype = *dtype;
  return MarkField(has_dtype_);
}

bool HeaderReader::start_object(std::size_t /*size*/) {
  if (place_ == Place::kStart) {
    place_ = Place::kTop;
    return true;
  }
  if (place_ != Place::kTop) {
    return Unexpected("an object");
  }
  if (field_ == "__metadata__") {
    place_ = Place::kMetadata;
    return true;
  }
  if (entries.size() == kSafetensorsTensorsMax) {
    return Stop("the header names more than 1000000 tensors");
  }
  entries.emplace_back().name = field_;
  has_dtype_ = has_shape_ = has_offsets_ = false;
  offsets_.clear();
  place_ = Place::kTensor;
  return true;
}

bool HeaderReader::key(string_t& value) {
  field_ = value;
  return true;
}

bool HeaderReader::end_object() {
  if (place_ == Place::kTop) {
    place_ = Place::kEnd;
    return true;
  }
  if (place_ == Place::kTensor && !(has_dtype_ && has_shape_ && has_offsets_)) {
    return StopAt(" lacks dtype, shape or data_offsets");
  }
  place_ = Place::kTop;
  return true;
}

bool HeaderReader::start_array(std::size_t /*size*/) {
  if (place_ != Place::kTensor) {
    return Unexpected("an array");
  }
  if (field_ == "shape") {
    place_ = Place::kShape;
    return MarkField(has_shape_);
  }
  if (field_ == "data_offsets") {
    place_ = Place::kOffsets;
    return MarkField(has_offsets_);
  }
  return Unexpected("an array");
}

bool HeaderReader::end_array() {
  if (place_ == Place::kOffsets) {
    if (offsets_.size() != 2) {
      return StopAt(" has fewer than two data_offsets");
    }
    entries.back().begin = offsets_[0];
    entries.back().end = offsets_[1];
  }
  place_ = Place::kTensor;
  return true;
}

bool HeaderReader::parse_error(std::size_t position, const std::string& /*token*/,
                               const nlohmann::detail::exception& /*error*/) {
  return Stop("the header is not JSON at byte " + std::to_string(position));
}

}  // namespace

const char* ToString(Dtype dtype) {
  for (const NamedDtype& known : kDtypes) {
    if (known.dtype == dtype) {
      return known.name.data();
    }
  }
  return "?";
}

std::string QuoteName(std::string_view name) {
  constexpr std::size_t kShown = 100;
  std::string quoted = "'";
  for (const char c : name.substr(0, kShown)) {
    quoted += c >= ' ' && c <= '~' ? c : '?';
  }
  quoted += name.size() > kShown ? "...'" : "'";
  return quoted;
}

Result<std::vector<TensorEntry>> ReadSafetensorsHeader(std::string_view json) {
  HeaderReader reader;
  const bool read = nlohmann::json::sax_parse(json.begin(), json.end(), &reader);
  if (!read) {
    return Fail(ErrorCode::kCorruptFile, reader.problem);
  }
  return std::move(reader.entries);
}

}  // namespace safeguard::engine
