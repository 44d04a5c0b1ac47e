// Makes cases of forms: operands, addresses, flags and floating-point state.
#pragma once
#include "tests/host_oracle/encode.h"

namespace softvt::oracle {

// False if no encoding of the form came out of a few tries.
bool generate(const Form& form, Random& random, Case& out);

}  // namespace softvt::oracle
