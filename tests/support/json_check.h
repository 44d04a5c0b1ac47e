// Reads RFC 8259 JSON and nothing else, so that a test fails on whatever a strict reader refuses.
#pragma once
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace softvt::test {

// A missing member or element answers Missing, which has no members, so that tests may chain.
class Json {
 public:
  enum class Kind { Missing, Null, Bool, Number, String, Array, Object };

  Kind kind() const { return kind_; }
  const Json& operator[](std::string_view name) const {
    const auto found = members_.find(std::string(name));
    return found == members_.end() ? missing() : found->second;
  }
  const Json& operator[](std::size_t n) const { return n < list_.size() ? list_[n] : missing(); }
  const std::vector<Json>& list() const { return list_; }
  // A string's characters, a number as it was written.
  const std::string& text() const { return text_; }
  bool is_true() const { return kind_ == Kind::Bool && text_ == "true"; }
  bool is_false() const { return kind_ == Kind::Bool && text_ == "false"; }
  // Of a number or of a string that holds one, such as "0x12".
  std::uint64_t number() const { return std::strtoull(text_.c_str(), nullptr, 0); }

 private:
  friend class JsonReader;
  static const Json& missing() {
    static const Json none;
    return none;
  }

  Kind kind_ = Kind::Missing;
  std::string text_;
  std::vector<Json> list_;
  std::map<std::string, Json> members_;
};

class JsonReader {
 public:
  // Nothing if any byte of the text is wrong.
  static std::optional<Json> read(std::string_view text) {
    JsonReader reader(text);
    Json value;
    if (!reader.value(value, 0)) return std::nullopt;
    reader.space();
    if (reader.at_ != text.size()) return std::nullopt;
    return value;
  }

 private:
  static constexpr int kDeepest = 100;

  explicit JsonReader(std::string_view text) : text_(text) {}

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void space() {
    while (at_ < text_.size() && std::string_view(" \n\r\t").find(peek()) != text_.npos) ++at_;
  }
  bool word(std::string_view w) {
    if (text_.substr(at_, w.size()) != w) return false;
    at_ += w.size();
    return true;
  }
  bool digits() {
    const std::size_t start = at_;
    while (std::isdigit(static_cast<unsigned char>(peek()))) ++at_;
    return at_ != start;
  }

  bool value(Json& v, int depth) {
    space();
    switch (peek()) {
      case '{':
        return depth < kDeepest && object(v, depth);
      case '[':
        return depth < kDeepest && array(v, depth);
      case '"':
        v.kind_ = Json::Kind::String;
        return string(v.text_);
      case 't':
        return literal(v, "true", Json::Kind::Bool);
      case 'f':
        return literal(v, "false", Json::Kind::Bool);
      case 'n':
        return literal(v, "null", Json::Kind::Null);
      default:
        return number(v);
    }
  }
  bool literal(Json& v, std::string_view text, Json::Kind kind) {
    v.kind_ = kind;
    v.text_ = text;
    return word(text);
  }
  bool number(Json& v) {
    const std::size_t start = at_;
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (!digits()) return false;
    }
    v.kind_ = Json::Kind::Number;
    v.text_ = text_.substr(start, at_ - start);
    return true;
  }
  bool string(std::string& out) {
    if (!take('"')) return false;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') {
        out += c;
      } else if (!escape(out)) {
        return false;
      }
    }
    return false;
  }
  // \uXXXX stays as it is written: the tests compare ASCII only.
  bool escape(std::string& out) {
    constexpr std::string_view kNames = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
    const char c = peek();
    ++at_;
    if (const std::size_t n = kNames.find(c); n != kNames.npos) {
      out += kMeanings[n];
      return true;
    }
    if (c != 'u') return false;
    out += "\\u";
    for (int i = 0; i < 4; ++i) {
      if (!std::isxdigit(static_cast<unsigned char>(peek()))) return false;
      out += text_[at_++];
    }
    return true;
  }
  bool array(Json& v, int depth) {
    v.kind_ = Json::Kind::Array;
    take('[');
    space();
    if (take(']')) return true;
    do {
      if (!value(v.list_.emplace_back(), depth + 1)) return false;
      space();
    } while (take(','));
    return take(']');
  }
  bool object(Json& v, int depth) {
    v.kind_ = Json::Kind::Object;
    take('{');
    space();
    if (take('}')) return true;
    do {
      space();
      std::string name;
      if (!string(name)) return false;
      space();
      const auto [member, is_new] = v.members_.try_emplace(name);
      if (!is_new || !take(':') || !value(member->second, depth + 1)) return false;
      space();
    } while (take(','));
    return take('}');
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace softvt::test
