// The memory image of the x87 environment. SDM 1 8.1.10 "Saving the x87 FPU's State with
// FSTENV/FNSTENV and FSAVE/FNSAVE", figures 8-9 to 8-12.
#pragma once
#include "cpu/cpu.h"

namespace softvt::fpu {

enum class EnvironmentFormat : u8 { Protected32, Real32, Protected16, Real16 };

constexpr unsigned environment_size(EnvironmentFormat f) {
  return f == EnvironmentFormat::Protected32 || f == EnvironmentFormat::Real32 ? 28 : 14;
}

// Two bits a register: 0 valid, 1 zero, 2 special, 3 empty. SDM 1 8.1.7.
u16 full_tag_word(const X87State& s);
// The abridged tag of a full tag word.
u8 abridged_tag(u16 full);

void encode_environment(const X87State& s, EnvironmentFormat format, u8* image);
void decode_environment(X87State& s, EnvironmentFormat format, const u8* image);

}  // namespace softvt::fpu
