#include "cpu/fpu/rows.h"

#include "cpu/fpu/operations.h"
#include "cpu/fpu/shapes.h"

namespace softvt {
namespace {

using namespace fpu;

constexpr InsnRow x87(ZydisMnemonic mnemonic, ColdFn fn, Feature feature = Feature::Fpu) {
  return {mnemonic, fn, feature, Unit::X87};
}
constexpr InsnRow fx(ZydisMnemonic mnemonic, ColdFn fn, u8 modes = modes::kAll) {
  return {mnemonic, fn, Feature::Fxsr, Unit::FxState, modes};
}
constexpr InsnRow xs(ZydisMnemonic mnemonic, ColdFn fn, Feature feature, u8 modes = modes::kAll) {
  return {mnemonic, fn, feature, Unit::Xsave, modes};
}

// Condition codes that an instruction delivers.
constexpr u16 kC1 = fsw::C1, kRange = fsw::C1 | fsw::C2, kRemainder = fsw::Codes;

constexpr InsnRow kRows[] = {
    // Data transfer
    x87(ZYDIS_MNEMONIC_FLD, load),
    x87(ZYDIS_MNEMONIC_FILD, load),
    x87(ZYDIS_MNEMONIC_FBLD, load),
    x87(ZYDIS_MNEMONIC_FST, store),
    x87(ZYDIS_MNEMONIC_FSTP, store),
    x87(ZYDIS_MNEMONIC_FSTPNCE, store),
    x87(ZYDIS_MNEMONIC_FIST, store),
    x87(ZYDIS_MNEMONIC_FISTP, store),
    x87(ZYDIS_MNEMONIC_FISTTP, store, Feature::Sse3),
    x87(ZYDIS_MNEMONIC_FBSTP, store),
    x87(ZYDIS_MNEMONIC_FXCH, fxch),
    x87(ZYDIS_MNEMONIC_FCMOVB, fcmov, Feature::Cmov),
    x87(ZYDIS_MNEMONIC_FCMOVE, fcmov, Feature::Cmov),
    x87(ZYDIS_MNEMONIC_FCMOVBE, fcmov, Feature::Cmov),
    x87(ZYDIS_MNEMONIC_FCMOVU, fcmov, Feature::Cmov),
    x87(ZYDIS_MNEMONIC_FCMOVNB, fcmov, Feature::Cmov),
    x87(ZYDIS_MNEMONIC_FCMOVNE, fcmov, Feature::Cmov),
    x87(ZYDIS_MNEMONIC_FCMOVNBE, fcmov, Feature::Cmov),
    x87(ZYDIS_MNEMONIC_FCMOVNU, fcmov, Feature::Cmov),
    // Constants
    x87(ZYDIS_MNEMONIC_FLD1, constant<0xd9, 0xe8>),
    x87(ZYDIS_MNEMONIC_FLDL2T, constant<0xd9, 0xe9>),
    x87(ZYDIS_MNEMONIC_FLDL2E, constant<0xd9, 0xea>),
    x87(ZYDIS_MNEMONIC_FLDPI, constant<0xd9, 0xeb>),
    x87(ZYDIS_MNEMONIC_FLDLG2, constant<0xd9, 0xec>),
    x87(ZYDIS_MNEMONIC_FLDLN2, constant<0xd9, 0xed>),
    x87(ZYDIS_MNEMONIC_FLDZ, constant<0xd9, 0xee>),
    // Arithmetic
    x87(ZYDIS_MNEMONIC_FADD, arithmetic),
    x87(ZYDIS_MNEMONIC_FADDP, arithmetic),
    x87(ZYDIS_MNEMONIC_FIADD, arithmetic),
    x87(ZYDIS_MNEMONIC_FMUL, arithmetic),
    x87(ZYDIS_MNEMONIC_FMULP, arithmetic),
    x87(ZYDIS_MNEMONIC_FIMUL, arithmetic),
    x87(ZYDIS_MNEMONIC_FSUB, arithmetic),
    x87(ZYDIS_MNEMONIC_FSUBP, arithmetic),
    x87(ZYDIS_MNEMONIC_FISUB, arithmetic),
    x87(ZYDIS_MNEMONIC_FSUBR, arithmetic),
    x87(ZYDIS_MNEMONIC_FSUBRP, arithmetic),
    x87(ZYDIS_MNEMONIC_FISUBR, arithmetic),
    x87(ZYDIS_MNEMONIC_FDIV, arithmetic),
    x87(ZYDIS_MNEMONIC_FDIVP, arithmetic),
    x87(ZYDIS_MNEMONIC_FIDIV, arithmetic),
    x87(ZYDIS_MNEMONIC_FDIVR, arithmetic),
    x87(ZYDIS_MNEMONIC_FDIVRP, arithmetic),
    x87(ZYDIS_MNEMONIC_FIDIVR, arithmetic),
    x87(ZYDIS_MNEMONIC_FABS, fabs),
    x87(ZYDIS_MNEMONIC_FCHS, fchs),
    x87(ZYDIS_MNEMONIC_FSQRT, unary<0xd9, 0xfa, kC1>),
    x87(ZYDIS_MNEMONIC_FRNDINT, unary<0xd9, 0xfc, kC1>),
    x87(ZYDIS_MNEMONIC_FXTRACT, unary_push<0xd9, 0xf4, kC1>),
    x87(ZYDIS_MNEMONIC_FSCALE, binary<0xd9, 0xfd, kC1, false>),
    x87(ZYDIS_MNEMONIC_FPREM, binary<0xd9, 0xf8, kRemainder, false>),
    x87(ZYDIS_MNEMONIC_FPREM1, binary<0xd9, 0xf5, kRemainder, false>),
    // Transcendental
    x87(ZYDIS_MNEMONIC_FSIN, unary<0xd9, 0xfe, kRange>),
    x87(ZYDIS_MNEMONIC_FCOS, unary<0xd9, 0xff, kRange>),
    x87(ZYDIS_MNEMONIC_FSINCOS, unary_push<0xd9, 0xfb, kRange>),
    x87(ZYDIS_MNEMONIC_FPTAN, unary_push<0xd9, 0xf2, kRange>),
    x87(ZYDIS_MNEMONIC_FPATAN, binary<0xd9, 0xf3, kC1, true>),
    x87(ZYDIS_MNEMONIC_F2XM1, unary<0xd9, 0xf0, kC1>),
    x87(ZYDIS_MNEMONIC_FYL2X, binary<0xd9, 0xf1, kC1, true>),
    x87(ZYDIS_MNEMONIC_FYL2XP1, binary<0xd9, 0xf9, kC1, true>),
    // Comparison
    x87(ZYDIS_MNEMONIC_FCOM, compare),
    x87(ZYDIS_MNEMONIC_FCOMP, compare),
    x87(ZYDIS_MNEMONIC_FCOMPP, compare),
    x87(ZYDIS_MNEMONIC_FICOM, compare),
    x87(ZYDIS_MNEMONIC_FICOMP, compare),
    x87(ZYDIS_MNEMONIC_FUCOM, compare),
    x87(ZYDIS_MNEMONIC_FUCOMP, compare),
    x87(ZYDIS_MNEMONIC_FUCOMPP, compare),
    x87(ZYDIS_MNEMONIC_FCOMI, compare_flags, Feature::Cmov),
    x87(ZYDIS_MNEMONIC_FCOMIP, compare_flags, Feature::Cmov),
    x87(ZYDIS_MNEMONIC_FUCOMI, compare_flags, Feature::Cmov),
    x87(ZYDIS_MNEMONIC_FUCOMIP, compare_flags, Feature::Cmov),
    x87(ZYDIS_MNEMONIC_FTST, ftst),
    x87(ZYDIS_MNEMONIC_FXAM, fxam),
    // Control
    x87(ZYDIS_MNEMONIC_FNOP, fnop),
    x87(ZYDIS_MNEMONIC_FENI8087_NOP, obsolete_nop),
    x87(ZYDIS_MNEMONIC_FDISI8087_NOP, obsolete_nop),
    x87(ZYDIS_MNEMONIC_FSETPM287_NOP, obsolete_nop),
    {ZYDIS_MNEMONIC_FWAIT, fwait, Feature::None, Unit::Wait},
    x87(ZYDIS_MNEMONIC_FNINIT, fninit),
    x87(ZYDIS_MNEMONIC_FNCLEX, fnclex),
    x87(ZYDIS_MNEMONIC_FLDCW, fldcw),
    x87(ZYDIS_MNEMONIC_FNSTCW, fnstcw),
    x87(ZYDIS_MNEMONIC_FNSTSW, fnstsw),
    x87(ZYDIS_MNEMONIC_FFREE, ffree),
    x87(ZYDIS_MNEMONIC_FFREEP, ffree),
    x87(ZYDIS_MNEMONIC_FINCSTP, fincstp),
    x87(ZYDIS_MNEMONIC_FDECSTP, fdecstp),
    x87(ZYDIS_MNEMONIC_FNSTENV, fnstenv),
    x87(ZYDIS_MNEMONIC_FLDENV, fldenv),
    x87(ZYDIS_MNEMONIC_FNSAVE, fnsave),
    x87(ZYDIS_MNEMONIC_FRSTOR, frstor),
    // State of x87 and SSE
    fx(ZYDIS_MNEMONIC_FXSAVE, fxsave),
    fx(ZYDIS_MNEMONIC_FXSAVE64, fxsave64, modes::k64),
    fx(ZYDIS_MNEMONIC_FXRSTOR, fxrstor),
    fx(ZYDIS_MNEMONIC_FXRSTOR64, fxrstor64, modes::k64),
    // Extended state
    xs(ZYDIS_MNEMONIC_XSAVE, xsave, Feature::Xsave),
    xs(ZYDIS_MNEMONIC_XSAVE64, xsave64, Feature::Xsave, modes::k64),
    xs(ZYDIS_MNEMONIC_XSAVEOPT, xsaveopt, Feature::Xsaveopt),
    xs(ZYDIS_MNEMONIC_XSAVEOPT64, xsaveopt64, Feature::Xsaveopt, modes::k64),
    xs(ZYDIS_MNEMONIC_XSAVEC, xsavec, Feature::Xsavec),
    xs(ZYDIS_MNEMONIC_XSAVEC64, xsavec64, Feature::Xsavec, modes::k64),
    xs(ZYDIS_MNEMONIC_XSAVES, xsaves, Feature::Xsaves),
    xs(ZYDIS_MNEMONIC_XSAVES64, xsaves64, Feature::Xsaves, modes::k64),
    xs(ZYDIS_MNEMONIC_XRSTOR, xrstor, Feature::Xsave),
    xs(ZYDIS_MNEMONIC_XRSTOR64, xrstor64, Feature::Xsave, modes::k64),
    xs(ZYDIS_MNEMONIC_XRSTORS, xrstors, Feature::Xsaves),
    xs(ZYDIS_MNEMONIC_XRSTORS64, xrstors64, Feature::Xsaves, modes::k64),
    xs(ZYDIS_MNEMONIC_XGETBV, xgetbv, Feature::Xsave),
    {ZYDIS_MNEMONIC_XSETBV, xsetbv, Feature::Xsave, Unit::Xsave, modes::kAll, false, true},
};

}  // namespace

std::span<const InsnRow> fpu_rows() { return kRows; }

}  // namespace softvt
