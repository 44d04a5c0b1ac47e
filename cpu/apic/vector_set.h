// The 256 bits of IRR, ISR and TMR.
#pragma once
#include <array>
#include <bit>

#include "cpu/types.h"

namespace softvt {

class VectorSet {
 public:
  bool test(u8 vector) const { return (words_[vector >> 5] >> (vector & 31)) & 1; }
  void set(u8 vector) { words_[vector >> 5] |= bit(vector); }
  void clear(u8 vector) { words_[vector >> 5] &= ~bit(vector); }
  void assign(u8 vector, bool value) { value ? set(vector) : clear(vector); }
  void clear_all() { words_.fill(0); }
  u32 word(unsigned index) const { return words_[index & 7]; }

  // Highest vector in the set, -1 if it is empty.
  int highest() const {
    for (int i = 7; i >= 0; --i) {
      const u32 word = words_[static_cast<unsigned>(i)];
      if (word != 0) return 32 * i + 31 - std::countl_zero(word);
    }
    return -1;
  }

 private:
  static constexpr u32 bit(u8 vector) { return u32{1} << (vector & 31); }

  std::array<u32, 8> words_{};
};

}  // namespace softvt
