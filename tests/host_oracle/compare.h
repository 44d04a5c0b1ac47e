// Compares what the host and softvt made of a case.
#pragma once
#include <string>
#include <vector>

#include "tests/host_oracle/encode.h"

namespace softvt::oracle {

struct Difference {
  std::string where;  // "rax", "flags OF", "xmm3", "memory" ...
  std::string native, softvt;
};

std::vector<Difference> compare(const Case& c, const DecodedBytes& d, const Outcome& native,
                                const Outcome& softvt);

}  // namespace softvt::oracle
