#include "engine/model/gguf/gguf_types.h"

namespace safeguard::engine {
namespace {

constexpr GgmlType kTypes[] = {
    {0, "F32", StoredType::kF32, 1, 4},
    {1, "F16", StoredType::kF16, 1, 2},
    {2, "Q4_0"},
    {3, "Q4_1"},
    // A number that ggml no longer uses. Ollama's first gpt-oss files carry MXFP4 under it, with
    // the nibbles in the order of the published weights.
    {4, "MXFP4 (type 4)", StoredType::kMxfp4Adjacent, 32, 17},
    {6, "Q5_0"},
    {7, "Q5_1"},
    {8, "Q8_0", StoredType::kQ8_0, 32, 34},
    {9, "Q8_1"},
    {10, "Q2_K"},
    {11, "Q3_K"},
    {12, "Q4_K"},
    {13, "Q5_K"},
    {14, "Q6_K"},
    {15, "Q8_K"},
    {16, "IQ2_XXS"},
    {17, "IQ2_XS"},
    {18, "IQ3_XXS"},
    {19, "IQ1_S"},
    {20, "IQ4_NL"},
    {21, "IQ3_S"},
    {22, "IQ2_S"},
    {23, "IQ4_XS"},
    {24, "I8"},
    {25, "I16"},
    {26, "I32"},
    {27, "I64"},
    {28, "F64"},
    {29, "IQ1_M"},
    {30, "BF16", StoredType::kBF16, 1, 2},
    {34, "TQ1_0"},
    {35, "TQ2_0"},
    {39, "MXFP4", StoredType::kMxfp4, 32, 17},
};

}  // namespace

std::size_t BytesPerValue(GgufType type) {
  switch (type) {
    case GgufType::kU8:
    case GgufType::kI8:
    case GgufType::kBool:
      return 1;
    case GgufType::kU16:
    case GgufType::kI16:
      return 2;
    case GgufType::kU32:
    case GgufType::kI32:
    case GgufType::kF32:
      return 4;
    case GgufType::kU64:
    case GgufType::kI64:
    case GgufType::kF64:
      return 8;
    case GgufType::kString:
    case GgufType::kArray:
      break;
  }
  return 0;
}

GgmlType GgmlTypeOf(std::uint32_t id) {
  for (const GgmlType& type : kTypes) {
    if (type.id == id) {
      return type;
    }
  }
  return {id};
}

std::string NameOf(const GgmlType& type) {
  return *type.name == '\0' ? "type " + std::to_string(type.id) : type.name;
}

}  // namespace safeguard::engine
