// Handlers that are not instructions: ends of blocks, links, cold functions, stale blocks.
#pragma once
#include "cpu/insn.h"

namespace softvt::handlers {

Handler cold();       // calls Insn::fn
Handler block_end();  // falls through to the next block; imm = its offset from the page start
Handler link_stub();  // first target of a same-page branch's link; imm = target, link = the branch
Handler
cross_guard();  // in front of a page-crossing instruction; imm = host address of its 2nd page
void make_stale(Insn& first);

}  // namespace softvt::handlers
