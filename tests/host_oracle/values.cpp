#include "tests/host_oracle/values.h"

#include <cstring>

namespace softvt::oracle {
namespace {

constexpr u64 kIntegers[] = {0,
                             1,
                             2,
                             ~u64{0},
                             ~u64{1},
                             0x7f,
                             0x80,
                             0xff,
                             0x7fff,
                             0x8000,
                             0xffff,
                             0x7fffffff,
                             0x80000000,
                             0xffffffff,
                             0x100000000,
                             0x7fffffffffffffff,
                             u64{1} << 63,
                             0xffffffff80000000,
                             0xffffffffffff8000,
                             0xffffffffffffff80,
                             0x5555555555555555,
                             0xaaaaaaaaaaaaaaaa,
                             0x8080808080808080,
                             0x7f7f7f7f7f7f7f7f,
                             0x8000800080008000};

constexpr u32 kSingles[] = {0,          0x80000000,              // zeros
                            0x3f800000, 0xbf800000, 0x40000000,  // 1, -1, 2
                            0x3f000000, 0x3fc00000, 0xc0200000,  // 0.5, 1.5, -2.5: ties
                            0x7f800000, 0xff800000,              // infinities
                            0x7fc00000, 0xffc00000, 0x7fc01234,  // quiet NaNs
                            0x7f800001, 0xff812345, 0x7fbfffff,  // signalling NaNs
                            0x00000001, 0x807fffff, 0x00400000,  // denormals
                            0x00800000, 0x80800000,              // smallest normals
                            0x7f7fffff, 0xff7fffff,              // largest
                            0x4f000000, 0xcf000000, 0x4effffff,  // around 2^31
                            0x5f000000, 0xdf000000, 0x5effffff,  // around 2^63
                            0x4b000001, 0x4a800001,              // ties of rounding to integer
                            0x7149f2ca, 0x0da24260};             // 1e30, 1e-30
constexpr u64 kDoubles[] = {0,
                            0x8000000000000000,
                            0x3ff0000000000000,
                            0xbff0000000000000,
                            0x4000000000000000,
                            0x3fe0000000000000,
                            0x3ff8000000000000,
                            0xc004000000000000,
                            0x7ff0000000000000,
                            0xfff0000000000000,
                            0x7ff8000000000000,
                            0xfff8000000000000,
                            0x7ff8000000001234,
                            0x7ff0000000000001,
                            0xfff4000000000000,
                            0x7ff7ffffffffffff,
                            0x0000000000000001,
                            0x800fffffffffffff,
                            0x0008000000000000,
                            0x0010000000000000,
                            0x8010000000000000,
                            0x7fefffffffffffff,
                            0xffefffffffffffff,
                            0x41dfffffffc00000,
                            0x41e0000000000000,
                            0xc1e0000000200000,
                            0x41dfffffffe00000,
                            0x43e0000000000000,
                            0xc3e0000000000000,
                            0x43dfffffffffffff,
                            0x4330000000000001,
                            0x4320000000000001,
                            0x47efffffe0000000,
                            0x47efffffefffffff,
                            0x36a0000000000000,
                            0x380fffffffffffff,  // of singles
                            0x3690000000000000,
                            0xb80fffffe0000000};

struct Extended {
  u64 significand;
  u16 sign_exponent;
};
constexpr Extended kExtended[] = {{0, 0},
                                  {0, 0x8000},
                                  {0x8000000000000000, 0x3fff},
                                  {0x8000000000000000, 0xbfff},
                                  {0xc000000000000000, 0x3fff},
                                  {0x8000000000000000, 0x7fff},
                                  {0x8000000000000000, 0xffff},
                                  {0xc000000000000000, 0xffff},
                                  {0xc000000000001234, 0x7fff},
                                  {0x8000000000001234, 0x7fff},
                                  {0xa000000000000000, 0xffff},
                                  {1, 0},
                                  {0x4000000000000123, 0x8000},
                                  {0x8000000000000123, 0},
                                  {0x8000000000000000, 1},
                                  {0xffffffffffffffff, 0x7ffe},
                                  {0x4000000000000000, 0x3fff},
                                  {0, 0x7fff},
                                  {0x4000000000000000, 0x7fff},
                                  {0x8000000000000000, 0x403e},
                                  {0xffffffffffffffff, 0x403d},
                                  {0x8000000000000000, 0xc01e},
                                  {0xfffffffffffffc00, 0x43fe},
                                  {0xffffff0000000000, 0x407e},
                                  {0xc90fdaa22168c235, 0x3fff}};

}  // namespace

u64 edge_integer(Random& random) {
  const u64 one = u64{1} << random.below(64);
  switch (random.below(10)) {
    case 0:
      return one;
    case 1:
      return one - 1;
    case 2:
      return ~one;
    case 3:
      return random.below(80);
    case 4:
      return 0 - random.below(80);
    case 5:
      return random.next();
    case 6:
      return static_cast<u32>(random.next());
    default:
      return random.pick(kIntegers);
  }
}

u32 edge_single(Random& random) {
  const u32 bits = static_cast<u32>(random.next());
  switch (random.below(4)) {
    case 0:
      return (bits & 0x803fffff) | static_cast<u32>(120 + random.below(16)) << 23;
    case 1:
      return random.percent(50) ? bits : (bits & 0x807fffff) | 0x3f800000;
    default:
      return random.pick(kSingles);
  }
}

u64 edge_double(Random& random) {
  const u64 bits = random.next();
  switch (random.below(4)) {
    case 0:
      return (bits & 0x800fffffffffffff) | (1015 + random.below(16)) << 52;
    case 1:
      return random.percent(50) ? bits
                                : (bits & 0x800fffff00000000) | (1023 + random.below(64)) << 52;
    default:
      return random.pick(kDoubles);
  }
}

void edge_extended(Random& random, u8* out) {
  Extended v = random.pick(kExtended);
  if (random.percent(50)) {
    v.significand = random.next() | u64{1} << 63;
    v.sign_exponent = static_cast<u16>((random.next() & 0x8000) | (0x3ff0 + random.below(64)));
    if (random.percent(20)) v.sign_exponent = static_cast<u16>(random.next());
    if (random.percent(20)) v.significand &= 0xfffffff000000000;
  }
  std::memcpy(out, &v.significand, sizeof(v.significand));
  std::memcpy(out + 8, &v.sign_exponent, sizeof(v.sign_exponent));
}

void edge_vector(Random& random, const u8* reuse, u8* out) {
  const u64 kind = random.below(6);
  const u64 common = kind == 0   ? u64{edge_single(random)} << 32 | edge_single(random)
                     : kind == 1 ? edge_double(random)
                                 : edge_integer(random);
  u64 q[2];
  for (u64& v : q) {
    switch (kind) {
      case 0:
        v = u64{edge_single(random)} << 32 | edge_single(random);
        break;
      case 1:
        v = edge_double(random);
        break;
      case 2:
        v = random.next();
        break;
      case 3:
        v = (edge_integer(random) << 32) | (edge_integer(random) & 0xffffffff);
        break;
      default:
        v = edge_integer(random);
        break;
    }
    if (random.percent(15)) v = common;
  }
  std::memcpy(out, q, sizeof(q));
  if (reuse == nullptr) return;
  if (random.percent(10)) std::memcpy(out, reuse, sizeof(q));
  if (random.percent(10)) std::memcpy(out + 4 * random.below(4), reuse + 4 * random.below(4), 4);
}

}  // namespace softvt::oracle
