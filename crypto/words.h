// Short strings of words that two people compare by telephone: eight pronounceable words of five
// letters, consonant-vowel-consonant-vowel-consonant, sixteen bits each (128 in all). They belong
// to no language, so every country reads them alike. The idea is Wilkerson's "proquints" (2009).
#pragma once

#include <string>
#include <string_view>

#include "crypto/bytes.h"

namespace entente::crypto {

inline constexpr size_t kWordCount = 8;

// The words of a party: from H("card", party root), joined with hyphens.
std::string WordString(const PartyId& party);

// Lower case, every run of blanks, hyphens, dots or commas one hyphen: for comparing what was
// typed.
std::string NormalizeWords(std::string_view typed);

}  // namespace entente::crypto
