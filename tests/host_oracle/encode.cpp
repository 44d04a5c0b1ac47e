#include "tests/host_oracle/encode.h"

namespace softvt::oracle {
namespace {

// Bits of REX, and (inverted) of VEX.
struct Extensions {
  bool r = false, x = false, b = false;
};

class Encoder {
 public:
  Encoder(const Form& form, Random* random) : form_(form), random_(random) {}

  Encoded encode() {
    choose_fields();
    if (form_.place == Place::Gs) out_.add(0x65);
    if (form_.place == Place::Address32) out_.add(0x67);
    if (form_.lock) out_.add(0xf0);
    if (form_.map >= OpcodeMap::Vex0F38) {
      add_vex();
    } else {
      add_prefixes();
      add_map();
    }
    out_.add(form_.opcode);
    if (form_.has_modrm) add_modrm();
    if (random_ != nullptr) {
      out_.add_random(*random_, form_.immediate_bytes);
    } else {
      for (unsigned i = 0; i < form_.immediate_bytes; ++i) out_.add(0);
    }
    if (form_.jcc >= 0) {
      out_.add(0x70 | form_.jcc);
      out_.add(0x20);  // into the filler behind
    }
    return out_;
  }

 private:
  u64 choose(u64 n) { return random_ == nullptr ? 0 : random_->below(n); }

  void choose_fields() {
    ext_ = {choose(2) != 0, choose(2) != 0, choose(2) != 0};
    reg_ = form_.reg_free ? static_cast<u8>(choose(8)) : form_.reg;
    rm_ = form_.rm_free ? static_cast<u8>(choose(8)) : form_.rm;
    if (!form_.reg_free) ext_.r = false;
    if (form_.place == Place::Register && !form_.rm_free) ext_.b = false;
    if (form_.compat || (form_.place == Place::None && form_.has_modrm)) ext_ = {};
  }

  void add_prefixes() {
    if (form_.operand66) out_.add(0x66);
    if (form_.prefix != 0) out_.add(form_.prefix);
    if (form_.compat) return;
    const u8 rex = static_cast<u8>(form_.rex_w << 3 | ext_.r << 2 | ext_.x << 1 | ext_.b);
    // A REX that says nothing selects SPL..DIL instead of AH..BH.
    if (rex != 0 || choose(4) == 1) out_.add(0x40 | rex);
  }
  void add_map() {
    if (form_.map == OpcodeMap::OneByte) return;
    out_.add(0x0f);
    if (form_.map == OpcodeMap::Three0F38) out_.add(0x38);
    if (form_.map == OpcodeMap::Three0F3A) out_.add(0x3a);
  }
  void add_vex() {
    const u8 map = form_.map == OpcodeMap::Vex0F38 ? 2 : 3;
    const u8 vvvv = form_.vex_register ? static_cast<u8>(15 - choose(form_.compat ? 8 : 16)) : 15;
    out_.add(0xc4);
    out_.add(!ext_.r << 7 | !ext_.x << 6 | !ext_.b << 5 | map);
    out_.add(form_.rex_w << 7 | vvvv << 3 | form_.prefix);
  }

  void displacement(unsigned bytes) {
    if (random_ == nullptr) {
      for (unsigned i = 0; i < bytes; ++i) out_.add(0);
    } else {
      out_.add_random(*random_, bytes);
    }
  }
  void modrm(unsigned mod, unsigned rm) { out_.add(mod << 6 | reg_ << 3 | rm); }

  // mod, and a base register whose low bits are 5 always with a displacement.
  void add_base(bool indexed) {
    unsigned mod = static_cast<unsigned>(choose(3));
    if (mod == 0 && rm_ == 5) mod = 1;
    const bool sib = indexed || rm_ == 4;
    modrm(mod, sib ? 4 : rm_);
    if (sib) {
      unsigned index = 4;
      if (indexed) index = static_cast<unsigned>(choose(8));
      if (!indexed) ext_.x = false;
      out_.add(choose(4) << 6 | index << 3 | rm_);
    }
    displacement(mod == 1 ? 1 : mod == 2 ? 4 : 0);
  }

  // SDM 2A table 2-1 "16-Bit Addressing Forms with the ModR/M Byte".
  void add_16_bit_address() {
    const unsigned mod = static_cast<unsigned>(choose(3));
    modrm(mod, rm_);
    displacement(mod == 1 ? 1 : mod == 2 || rm_ == 6 ? 2 : 0);
  }

  void add_modrm() {
    switch (form_.place) {
      case Place::None:
      case Place::Register:
        modrm(3, rm_);
        break;
      case Place::BaseDisp:
      case Place::Gs:
        add_base(false);
        break;
      case Place::Indexed:
        add_base(true);
        break;
      case Place::Address32:
        if (form_.compat) return add_16_bit_address();
        add_base(choose(2) != 0);
        break;
      case Place::RipRelative:
        modrm(0, 5);
        displacement(4);
        break;
      case Place::Absolute:
        modrm(0, 4);
        out_.add(0x25);  // neither base nor index
        displacement(4);
        break;
    }
  }

  const Form& form_;
  Random* random_;
  Encoded out_;
  Extensions ext_;
  u8 reg_ = 0, rm_ = 0;
};

ZydisDecoder make_decoder(ZydisMachineMode mode, ZydisStackWidth width) {
  ZydisDecoder made;
  ZydisDecoderInit(&made, mode, width);
  ZydisDecoderEnableMode(&made, ZYDIS_DECODER_MODE_MPX, false);
  ZydisDecoderEnableMode(&made, ZYDIS_DECODER_MODE_CET, false);
  ZydisDecoderEnableMode(&made, ZYDIS_DECODER_MODE_CLDEMOTE, false);
  return made;
}

const ZydisDecoder& decoder(bool compat) {
  static const ZydisDecoder k64 = make_decoder(ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  static const ZydisDecoder k32 =
      make_decoder(ZYDIS_MACHINE_MODE_LONG_COMPAT_32, ZYDIS_STACK_WIDTH_32);
  return compat ? k32 : k64;
}

}  // namespace

Encoded encode(const Form& form, Random* random) { return Encoder(form, random).encode(); }

bool decode_bytes(const u8* bytes, unsigned size, bool compat, DecodedBytes& out) {
  return ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder(compat), bytes, size, &out.z, out.ops));
}

}  // namespace softvt::oracle
