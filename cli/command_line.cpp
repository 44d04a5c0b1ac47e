#include "cli/command_line.h"

#include "cli/quantity.h"
#include "machine/guest_ram.h"

namespace softvt::cli {

namespace po = boost::program_options;

bool parse_command_line(const Arguments& arguments, const po::options_description& visible,
                        po::variables_map& values, std::string& error) {
  po::options_description all;
  all.add(visible).add_options()("image", po::value<std::string>());
  po::positional_options_description positional;
  positional.add("image", 1);
  // Boost answers a bad command line with an exception; it ends here.
  try {
    namespace style = po::command_line_style;
    po::store(po::command_line_parser(arguments)
                  .options(all)
                  .positional(positional)
                  .style(style::unix_style & ~style::allow_guessing)
                  .run(),
              values);
    po::notify(values);
  } catch (const po::error& e) {
    error = e.what();
    return false;
  }
  return true;
}

std::optional<u64> parse_memory(const std::string& text) {
  const auto size = parse_size(text);
  if (!size || *size < kMinRam || *size > kMaxRam || (*size & kPageMask) != 0) return std::nullopt;
  return size;
}

std::optional<const CpuModel*> parse_model(const std::string& text) {
  const CpuModel* model = find_model(text);
  return model == nullptr ? std::nullopt : std::optional(model);
}

}  // namespace softvt::cli
