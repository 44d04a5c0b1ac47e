#include <gtest/gtest.h>

#include <set>

#include "svm/exit_codes.h"
#include "svm/intercepts.h"
#include "svm/vmcb_fields.h"

namespace softvt::svm {
namespace {

TEST(VmcbFields, RowsAreInOrderAndDoNotOverlap) {
  unsigned end = 0;
  std::size_t index = 0;
  for (const FieldRow& field : fields()) {
    EXPECT_EQ(static_cast<std::size_t>(field.id), index++) << field.name;
    EXPECT_GE(field.offset, end) << field.name;
    end = field.offset + field.bytes;
    EXPECT_LE(end, 0x1000u);
  }
}

TEST(VmcbFields, NamesAreUniqueAndFound) {
  std::set<std::string_view> names;
  for (const FieldRow& field : fields()) {
    EXPECT_TRUE(names.insert(field.name).second) << field.name;
    EXPECT_EQ(find_field(field.name), &field);
    EXPECT_EQ(field_at(field.offset), &field);
    EXPECT_EQ(field_at(field.offset + field.bytes - 1), &field);
  }
  EXPECT_EQ(find_field("NO_SUCH_FIELD"), nullptr);
  EXPECT_EQ(field_at(0x300), nullptr);
}

TEST(VmcbFields, AccessByTypeAndByRowAgree) {
  alignas(8) u8 page[4096] = {};
  const Vmcb v(page);
  v.put<Field::Rip>(0x1122334455667788);
  EXPECT_EQ(v.read(Field::Rip), 0x1122334455667788u);
  EXPECT_EQ(page[0x578], 0x88);
  v.write(Field::GuestAsid, 7);
  EXPECT_EQ(v.get<Field::GuestAsid>(), 7u);
  EXPECT_EQ(page[0x58], 7);
  v.put_segment<Field::TrSelector>({0x40, 0x8b, 0x67, 0x1000});
  EXPECT_EQ(v.get<Field::TrLimit>(), 0x67u);
  EXPECT_EQ(v.get<Field::TrBase>(), 0x1000u);
}

TEST(ExitCodes, SortedUniqueAndFound) {
  const ExitRow* before = nullptr;
  std::set<std::string_view> names;
  for (const ExitRow& exit : exit_rows()) {
    if (before) {
      EXPECT_LT(before->code, exit.code) << exit.name;
    }
    EXPECT_TRUE(names.insert(exit.name).second) << exit.name;
    EXPECT_EQ(find_exit(exit.code), &exit);
    before = &exit;
  }
  EXPECT_EQ(exit_name(static_cast<u64>(ExitCode::Cpuid)), "VMEXIT_CPUID");
  EXPECT_EQ(find_exit(static_cast<u64>(ExitCode::Vmmcall))->kvm_name, "hypercall");
  EXPECT_EQ(exit_name(static_cast<u64>(ExitCode::Npf)), "VMEXIT_NPF");
  EXPECT_EQ(exit_name(static_cast<u64>(ExitCode::Invalid)), "VMEXIT_INVALID");
  EXPECT_EQ(exit_name(0x1234), "VMEXIT_?");
}

TEST(Intercepts, EveryRowHasItsExitCode) {
  std::set<std::pair<u8, u8>> bits;
  for (const InterceptRow& row : intercept_rows()) {
    EXPECT_TRUE(bits.insert({row.vector, row.bit}).second) << row.name;
    EXPECT_NE(find_exit(static_cast<u64>(row.exit)), nullptr) << row.name;
    if (row.vector == 3) {
      EXPECT_EQ(static_cast<u64>(row.exit), 0x60u + row.bit) << row.name;
    }
    if (row.vector == 4 && row.bit < 14) {
      EXPECT_EQ(static_cast<u64>(row.exit), 0x80u + row.bit) << row.name;
    }
    if (row.what != Intercept::None) {
      EXPECT_EQ(plain_intercept(row.what), &row);
    }
    EXPECT_EQ(find_intercept(row.name), &row);
  }
}

}  // namespace
}  // namespace softvt::svm
