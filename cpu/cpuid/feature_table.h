// Where CPUID reports each feature.
#pragma once
#include <optional>
#include <span>
#include <string_view>

#include "cpu/features.h"

namespace softvt {

enum class CpuidRegister : u8 { Eax, Ebx, Ecx, Edx };

struct FeatureRow {
  Feature feature;
  std::string_view name;  // as Linux names its flags
  u32 leaf, subleaf;
  CpuidRegister reg;
  u8 bit;
};

std::span<const FeatureRow> feature_rows();
std::optional<Feature> find_feature(std::string_view name);

}  // namespace softvt
