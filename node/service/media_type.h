// What a file is by its first bytes: a fact for people to see, never a promise and never a reason
// to open it. Its name is not asked.
#pragma once

#include <string_view>

namespace entente::service {

// How many first bytes are worth giving.
inline constexpr size_t kMediaTypeProbeBytes = 512;

// "application/octet-stream" when nothing is recognised, "text/plain" for valid-looking text.
std::string_view SniffMediaType(std::string_view first_bytes);

}  // namespace entente::service
