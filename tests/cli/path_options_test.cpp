#include "cli/path_options.h"

#include <gtest/gtest.h>

namespace softvt::cli {
namespace {

TEST(PathOptions, DefaultsFollowTheAccelerator) {
  PathOptions options;
  std::string error;
  ASSERT_EQ(parse_path_options({"image.elf"}, options, error), ParseResult::Run) << error;
  EXPECT_EQ(options.run.accel, Accel::Vmx);
  EXPECT_EQ(options.run.model->name, "max-intel");
  EXPECT_EQ(options.format, PathFormat::Text);
  ASSERT_EQ(parse_path_options({"--accel", "svm", "image.elf"}, options, error), ParseResult::Run);
  EXPECT_EQ(options.run.model->name, "max-amd");
}

TEST(PathOptions, BadValuesAreNamed) {
  for (const Arguments& arguments : {Arguments{"--format", "xml", "i"},
                                     {"--accel", "kvm", "i"},
                                     {"--cpu", "z80", "i"},
                                     {"-m", "1", "--memory", "2", "i"}}) {
    PathOptions options;
    std::string error;
    EXPECT_EQ(parse_path_options(arguments, options, error), ParseResult::Error);
    EXPECT_FALSE(error.empty());
  }
}

TEST(PathOptions, ImageIsNeeded) {
  PathOptions options;
  std::string error;
  EXPECT_EQ(parse_path_options({}, options, error), ParseResult::Error);
  EXPECT_EQ(error, "no image: give IMAGE");
}

}  // namespace
}  // namespace softvt::cli
