// The text that `softvt path` prints, taken apart.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace softvt::test {

// "guest", "VM exit", ...: what stands behind the name, and the lines below.
struct TextStation {
  std::string name;
  std::vector<std::string> lines;

  bool has(const std::string& line) const {
    for (const std::string& l : lines) {
      if (l == line) return true;
    }
    return false;
  }
  // What stands behind the name of a field, as in "Guest RIP      0x0000000000100000".
  std::string field(const std::string& field_name) const {
    for (const std::string& l : lines) {
      if (!l.starts_with(field_name + " ")) continue;
      const std::size_t value = l.find_first_not_of(' ', field_name.size());
      return value == l.npos ? "" : l.substr(value);
    }
    return "(no field " + field_name + ")";
  }
  std::uint64_t number(const std::string& field_name) const {
    return std::strtoull(field(field_name).c_str(), nullptr, 0);
  }
  // Registers are in hexadecimal without 0x: "RAX 0000000000000001".
  std::uint64_t reg(const std::string& name_of_register) const {
    for (const std::string& l : lines) {
      const std::size_t at = (" " + l).find(" " + name_of_register + " ");
      if (at == l.npos) continue;
      const std::string value = l.substr(at + name_of_register.size());
      return std::strtoull(value.c_str(), nullptr, 16);
    }
    return ~std::uint64_t{0};
  }
};

struct TextWay {
  std::string title;  // the line above the stations
  std::vector<TextStation> stations;

  std::string names() const {
    std::string all;
    for (const TextStation& s : stations) all += (all.empty() ? "" : ", ") + s.name;
    return all;
  }
  const TextStation& station(std::string_view name) const {
    static const TextStation none;
    for (const TextStation& s : stations) {
      if (s.name == name) return s;
    }
    return none;
  }
};

struct PathText {
  std::vector<TextWay> ways;
  std::string console;  // the lines of the guest
  std::string end;      // the last line
};

// Columns: "  +0 ns", the station from column 15, its words from column 27.
inline PathText read_path_text(const std::string& text) {
  constexpr std::size_t kName = 15, kWords = 27;
  constexpr std::string_view kConsole = "guest> ";
  PathText path;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) continue;
    if (line.starts_with(kConsole)) {
      path.console += line.substr(kConsole.size()) + "\n";
    } else if (line.starts_with("end: ")) {
      path.end = line;
    } else if (line.starts_with("  ") && !path.ways.empty() && line.size() > kWords) {
      TextWay& way = path.ways.back();
      if (line.starts_with("  +")) {
        const std::string name = line.substr(kName, kWords - kName);
        way.stations.push_back({name.substr(0, name.find_last_not_of(' ') + 1), {}});
      }
      if (!way.stations.empty()) way.stations.back().lines.push_back(line.substr(kWords));
    } else {
      path.ways.push_back({line, {}});
    }
  }
  return path;
}

}  // namespace softvt::test
