// Cases as one line of text: what is not named is zero, or the state after FNINIT.
//   code=480fafc8 rip=10000400 rax=5 flags=202 xmm3=... st0=... mxcsr=1f80 mem@10010040=...
#pragma once
#include <optional>
#include <string>

#include "tests/host_oracle/case.h"

namespace softvt::oracle {

std::string hex_of(const u8* bytes, unsigned size);
const char* gpr_name(unsigned number);
std::string to_text(const Case& c);
std::optional<Case> parse_case(const std::string& text);

}  // namespace softvt::oracle
