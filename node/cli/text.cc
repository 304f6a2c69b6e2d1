#include "node/cli/text.h"

#include <array>
#include <cstdint>
#include <cstdio>

#include "crypto/bytes.h"

namespace entente::cli {
namespace {

constexpr char32_t kInvalid = 0xFFFFFFFF;
constexpr size_t kFileNameBytesMax = 200;

struct Rune {
  char32_t value;
  size_t bytes;
};

// The next character; kInvalid for one byte that is not part of well-formed UTF-8.
Rune NextRune(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1};
  size_t more = 0;
  char32_t value = 0;
  if (lead >= 0xC2 && lead < 0xE0) {
    more = 1;
    value = lead & 0x1Fu;
  } else if (lead >= 0xE0 && lead < 0xF0) {
    more = 2;
    value = lead & 0x0Fu;
  } else if (lead >= 0xF0 && lead < 0xF5) {
    more = 3;
    value = lead & 0x07u;
  }
  if (more == 0 || text.size() <= more) return {kInvalid, 1};
  for (size_t i = 1; i <= more; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0) != 0x80) return {kInvalid, 1};
    value = (value << 6) | (byte & 0x3Fu);
  }
  constexpr std::array<char32_t, 4> kShortest = {0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < kShortest[more] || surrogate || value > 0x10FFFF) return {kInvalid, 1};
  return {value, more + 1};
}

bool Between(char32_t c, char32_t low, char32_t high) { return c >= low && c <= high; }

// Controls, direction marks, zero-width and tag characters: what changes a line without being seen.
bool IsUnseen(char32_t c) {
  return c < 0x20 || Between(c, 0x7F, 0x9F) || c == 0xAD || c == 0x61C || c == 0x180E ||
         Between(c, 0x200B, 0x200F) || Between(c, 0x2028, 0x202E) || Between(c, 0x2060, 0x206F) ||
         c == 0xFEFF || Between(c, 0xFFF9, 0xFFFB) || Between(c, 0xE0000, 0xE007F);
}

bool IsWide(char32_t c) {
  return Between(c, 0x1100, 0x115F) || Between(c, 0x2E80, 0xA4CF) || Between(c, 0xAC00, 0xD7A3) ||
         Between(c, 0xF900, 0xFAFF) || Between(c, 0xFE30, 0xFE6F) || Between(c, 0xFF00, 0xFF60) ||
         Between(c, 0xFFE0, 0xFFE6) || Between(c, 0x1F300, 0x1FAFF) || Between(c, 0x20000, 0x3FFFD);
}

bool IsCombining(char32_t c) {
  return Between(c, 0x300, 0x36F) || Between(c, 0x1AB0, 0x1AFF) || Between(c, 0x1DC0, 0x1DFF) ||
         Between(c, 0x20D0, 0x20FF) || Between(c, 0xFE20, 0xFE2F);
}

size_t WidthOf(char32_t c) { return IsCombining(c) ? 0 : IsWide(c) ? 2 : 1; }

std::string Shown(char32_t c) {
  std::array<char, 16> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "<U+%04X>", static_cast<unsigned>(c));
  return buffer.data();
}

// Calls `each(rune, bytes)` for every character.
template <class Each>
void ForEachRune(std::string_view text, Each each) {
  while (!text.empty()) {
    const Rune rune = NextRune(text);
    each(rune.value, text.substr(0, rune.bytes));
    text.remove_prefix(rune.bytes);
  }
}

}  // namespace

std::string Clean(std::string_view text) {
  std::string out;
  ForEachRune(text, [&](char32_t c, std::string_view bytes) {
    if (c == kInvalid) {
      out += "<?>";
    } else if (IsUnseen(c)) {
      out += Shown(c);
    } else {
      out += bytes;
    }
  });
  return out;
}

std::string CleanLines(std::string_view text, size_t indent) {
  std::string out;
  while (true) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    out += Clean(line);
    if (end == std::string_view::npos) return out;
    out += '\n';
    out.append(indent, ' ');
    text.remove_prefix(end + 1);
  }
}

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  ForEachRune(text, [&](char32_t c, std::string_view) { width += WidthOf(c); });
  return width;
}

std::string Fit(std::string_view text, size_t width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  std::string out;
  size_t used = 0;
  bool full = width == 0;
  ForEachRune(text, [&](char32_t c, std::string_view bytes) {
    full = full || used + WidthOf(c) > width - 1;
    if (full) return;
    out += bytes;
    used += WidthOf(c);
  });
  return width == 0 ? out : out + "…";
}

std::string PadTo(std::string_view text, size_t width) {
  std::string out(text);
  const size_t used = DisplayWidth(text);
  if (used < width) out.append(width - used, ' ');
  return out;
}

std::string SafeFileName(std::string_view name) {
  const size_t slash = name.find_last_of("/\\");
  if (slash != std::string_view::npos) name.remove_prefix(slash + 1);
  std::string out;
  bool full = false;
  ForEachRune(name, [&](char32_t c, std::string_view bytes) {
    const bool bad = c == kInvalid || IsUnseen(c);
    const std::string_view kept = bad ? std::string_view("_") : bytes;
    full = full || out.size() + kept.size() > kFileNameBytesMax;
    if (!full) out += kept;
  });
  while (!out.empty() && (out.back() == ' ' || out.back() == '.')) out.pop_back();
  if (!out.empty() && (out[0] == '.' || out[0] == '-' || out[0] == ' ')) out[0] = '_';
  return out.empty() ? "file" : out;
}

std::string HumanBytes(uint64_t bytes) {
  if (bytes < 1024) return Cat(std::to_string(bytes), " B");
  constexpr std::array<const char*, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.1f %s", value, kUnits[unit]);
  return buffer.data();
}

}  // namespace entente::cli
