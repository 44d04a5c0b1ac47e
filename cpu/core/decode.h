// From bytes to Insn: Zydis decodes, this normalises operands.
#pragma once
#include <Zydis/Zydis.h>

#include "cpu/core/hot/bind.h"
#include "cpu/cpu.h"

namespace softvt {

enum class DecodeStatus : u8 {
  Ok,
  NeedMore,  // the instruction goes on behind the given bytes
  Invalid,   // #UD
  TooLong,   // more than 15 bytes: #GP(0). SDM 3A 6.15 "Interrupt 13"
};

struct Decoded {
  ZydisDecodedInstruction zydis;
  Insn insn;             // h, slow, fn, cnt not yet set
  hot::Request request;  // what binding looks at
  bool direct_branch = false;
  bool mmx_operand = false;  // an explicit operand is an MMX register
};

// Decodes one instruction for the mode word. `page_offset` is where it starts in its page.
DecodeStatus decode(const u8* bytes, unsigned available, u32 mode_word, const FeatureSet& features,
                    u16 page_offset, Decoded& out);

}  // namespace softvt
