// A hypercall in Palacios' convention. The registers are KVM's; the number is one that the host
// registered a handler for: 0x2000 is "palacios_demo", which answers a0 + 2 * a1.
#include "hypercall.h"

enum { PALACIOS_DEMO = 0x2000 };

int guest_main(void) {
  amd = is_amd();
  put_string("softvt guest: a hypercall in Palacios' convention\n");
  put_result("palacios_demo(1, 10, 100, 1000)", kvm_hypercall4(PALACIOS_DEMO, 1, 10, 100, 1000));
  put_result("palacios_demo(7)", kvm_hypercall1(PALACIOS_DEMO, 7));
  put_result("not registered", kvm_hypercall0(PALACIOS_DEMO + 1));
  return 0;
}
