#include "cli/quantity.h"

#include <gtest/gtest.h>

namespace softvt::cli {
namespace {

TEST(Quantity, Sizes) {
  EXPECT_EQ(parse_size("512M"), u64{512} << 20);
  EXPECT_EQ(parse_size("512"), u64{512} << 20);
  EXPECT_EQ(parse_size("8g"), u64{8} << 30);
  EXPECT_EQ(parse_size("64K"), u64{64} << 10);
  for (const char* bad : {"", "M", "-1M", "1.5G", "8GB", "99999999999999999999", "20000000T"}) {
    EXPECT_EQ(parse_size(bad), std::nullopt) << bad;
  }
}

TEST(Quantity, Durations) {
  EXPECT_EQ(parse_duration("10"), 10'000'000'000u);
  EXPECT_EQ(parse_duration("500ms"), 500'000'000u);
  EXPECT_EQ(parse_duration("2m"), 120'000'000'000u);
  EXPECT_EQ(parse_duration("7ns"), 7u);
  EXPECT_EQ(parse_duration("7h"), std::nullopt);
}

TEST(Quantity, Counts) {
  EXPECT_EQ(parse_count("1000000"), 1'000'000u);
  EXPECT_EQ(parse_count("5M"), 5'000'000u);
  EXPECT_EQ(parse_count("5Mi"), std::nullopt);
}

TEST(Quantity, Ports) {
  EXPECT_EQ(parse_port("0xf4"), 0xf4);
  EXPECT_EQ(parse_port("244"), 0xf4);
  for (const char* bad : {"", "0x", "65536", "0x10000", "f4", "-1"}) {
    EXPECT_EQ(parse_port(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace softvt::cli
