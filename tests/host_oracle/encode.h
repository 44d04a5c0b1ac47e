// From forms to bytes.
#pragma once
#include "tests/host_oracle/case.h"
#include "tests/host_oracle/forms.h"
#include "tests/host_oracle/random.h"

namespace softvt::oracle {

struct Encoded {
  std::array<u8, kMostCodeBytes> bytes{};
  u8 size = 0;
  void add(u64 byte) { bytes[size++] = static_cast<u8>(byte); }
  void add_random(Random& random, unsigned count) {
    while (count-- != 0) add(random.next());
  }
};

// With random registers, scale, displacement and immediate. Null random: all of them 0.
Encoded encode(const Form& form, Random* random);

struct DecodedBytes {
  ZydisDecodedInstruction z;
  ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
};
bool decode_bytes(const u8* bytes, unsigned size, bool compat, DecodedBytes& out);

}  // namespace softvt::oracle
