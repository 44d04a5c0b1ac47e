// The tables of vmx/: fields, controls, exit reasons, errors, capability MSRs.
#include <set>
#include <string>

#include "tests/vmx/vmx_machine.h"

namespace softvt::vmx {
namespace {

TEST(VmcsFields, EncodingsIdsAndNamesAreUnique) {
  std::set<u32> encodings;
  std::set<std::string_view> ids, names;
  for (const FieldRow& row : field_rows()) {
    EXPECT_TRUE(encodings.insert(static_cast<u32>(row.field)).second) << row.id;
    EXPECT_TRUE(ids.insert(row.id).second) << row.id;
    EXPECT_TRUE(names.insert(row.name).second) << row.id;
    EXPECT_LT(index_of(row.field), detail::kMaxIndex) << row.id;
    EXPECT_EQ(static_cast<u32>(row.field) & ~0x6ffeu, 0u) << row.id;
  }
}

TEST(VmcsFields, NamesAgreeWithTheType) {
  for (const FieldRow& row : field_rows()) {
    const bool guest = row.id.starts_with("GUEST_"), host = row.id.starts_with("HOST_");
    if (host) {
      EXPECT_EQ(type_of(row.field), FieldType::Host) << row.id;
    }
    if (guest && type_of(row.field) != FieldType::Guest) {
      EXPECT_TRUE(row.field == Field::GUEST_LINEAR_ADDRESS ||
                  row.field == Field::GUEST_PHYSICAL_ADDRESS)
          << row.id;
    }
  }
}

TEST(VmcsFields, KnownEncodings) {
  EXPECT_EQ(static_cast<u32>(Field::GUEST_CR3), 0x6802u);
  EXPECT_EQ(static_cast<u32>(Field::HOST_RIP), 0x6c16u);
  EXPECT_EQ(static_cast<u32>(Field::GUEST_TR_AR_BYTES), 0x4822u);
  EXPECT_EQ(static_cast<u32>(Field::VM_EXIT_REASON), 0x4402u);
  EXPECT_EQ(width_of(Field::EPT_POINTER), FieldWidth::Bits64);
  EXPECT_EQ(width_of(Field::GUEST_CS_SELECTOR), FieldWidth::Bits16);
  EXPECT_EQ(width_of(Field::VM_EXIT_REASON), FieldWidth::Bits32);
  EXPECT_EQ(type_of(Field::VM_EXIT_REASON), FieldType::ReadOnly);
}

TEST(VmcsFields, FindByEncoding) {
  bool high = false;
  ASSERT_NE(find_field(0x2011, &high), nullptr);
  EXPECT_TRUE(high);
  EXPECT_EQ(find_field(0x2011)->field, Field::TSC_OFFSET);
  EXPECT_EQ(find_field(0x4403), nullptr);  // only 64-bit fields have a high half
  EXPECT_EQ(find_field(0x6880), nullptr);
  EXPECT_EQ(find_field(u64{0x100006802}), nullptr);
  EXPECT_EQ(find_field("GUEST_CR3")->field, Field::GUEST_CR3);
}

TEST(Controls, EveryBitOnce) {
  std::set<u8> bits;
  for (const ControlRow& row : control_rows()) {
    EXPECT_TRUE(bits.insert(static_cast<u8>(row.control)).second) << row.name;
    EXPECT_EQ(find_control(row.control), &row);
  }
}

TEST(ExitReasons, UniqueAndFound) {
  std::set<u32> numbers;
  for (const ExitReasonRow& row : exit_reason_rows()) {
    EXPECT_TRUE(numbers.insert(static_cast<u32>(row.reason)).second) << row.name;
    EXPECT_EQ(find_exit_reason(static_cast<u32>(row.reason) | kEntryFailure), &row);
  }
  EXPECT_EQ(exit_reason_name(1), "EXTERNAL_INTERRUPT");
  EXPECT_EQ(exit_reason_name(35), "UNKNOWN");
}

TEST(InsnErrors, UniqueNumbers) {
  std::set<u32> numbers;
  for (const InsnErrorRow& row : insn_error_rows())
    EXPECT_TRUE(numbers.insert(static_cast<u32>(row.number)).second) << row.text;
  EXPECT_EQ(insn_error_text(12), "VMREAD/VMWRITE from/to unsupported VMCS component");
}

u64 msr(Cpu& cpu, u32 index) {
  for (const MsrRow& row : vmx_msr_rows()) {
    if (row.first != index) continue;
    u64 value = 0;
    EXPECT_TRUE(row.read(cpu, index, value));
    EXPECT_EQ(row.write, nullptr);
    return value;
  }
  ADD_FAILURE() << "no row";
  return 0;
}

TEST(Capabilities, MsrsAgreeWithEachOther) {
  test::VmxMachine m;
  constexpr u32 kPairs[][2] = {{0x481, 0x48d}, {0x482, 0x48e}, {0x483, 0x48f}, {0x484, 0x490}};
  for (const auto& pair : kPairs) {
    const u64 plain = msr(m.cpu, pair[0]), true_ = msr(m.cpu, pair[1]);
    EXPECT_EQ(plain >> 32, true_ >> 32);
    EXPECT_EQ(static_cast<u32>(true_) & ~static_cast<u32>(plain), 0u);
    EXPECT_EQ(static_cast<u32>(plain) & ~static_cast<u32>(plain >> 32), 0u);
  }
  EXPECT_EQ(static_cast<u32>(msr(m.cpu, 0x482)), 0x0401e172u);
  EXPECT_EQ(static_cast<u32>(msr(m.cpu, 0x48e)), 0x04006172u);
  EXPECT_EQ(msr(m.cpu, 0x480) & 0x7fffffff, kRevisionId);
  EXPECT_EQ(msr(m.cpu, 0x480) >> 32 & 0x1fff, 4096u);
}

TEST(Capabilities, EnumCoversEveryFieldThatExists) {
  test::VmxMachine m;
  const Capabilities& c = m.vmx->capabilities();
  for (const FieldRow& row : field_rows()) {
    u64 value;
    const VmResult result = m.vmx->vmread(m.cpu, row.field, value);
    EXPECT_EQ(result.ok(), c.has_field(row)) << row.id;
    if (result.ok()) {
      EXPECT_LE(u64{index_of(row.field)}, c.vmcs_enum >> 1) << row.id;
    }
  }
}

TEST(Capabilities, OfferedControlsHaveTheirFields) {
  test::VmxMachine m;
  const Capabilities& c = m.vmx->capabilities();
  EXPECT_TRUE(c.supports(Control::UnrestrictedGuest));
  EXPECT_TRUE(c.misc & misc::StoresLma);  // demanded by "unrestricted guest", SDM 3D A.6
  EXPECT_FALSE(c.supports(Control::TprShadow));
  EXPECT_FALSE(c.supports(Control::VmcsShadowing));
}

}  // namespace
}  // namespace softvt::vmx
