// Text from other people, made safe to print and safe to use as a file name. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace entente::cli {

// One line: control characters, direction marks, invisible characters and bytes that are not UTF-8
// appear as <U+202E>, so that no text can move the cursor, reorder a line or hide in it.
std::string Clean(std::string_view text);
// The same, but line breaks stay and the lines after the first are indented.
std::string CleanLines(std::string_view text, size_t indent);

// Columns on a terminal, counting wide East Asian characters as two.
size_t DisplayWidth(std::string_view text);
// Cut to `width` columns, the last being "…" when something was cut.
std::string Fit(std::string_view text, size_t width);
std::string PadTo(std::string_view text, size_t width);

// A base name out of what a record says a file is called: no path, nothing invisible, no leading
// dot or dash, at most 200 bytes, never empty.
std::string SafeFileName(std::string_view name);

// "1.5 GiB", "12 B".
std::string HumanBytes(uint64_t bytes);

}  // namespace entente::cli
