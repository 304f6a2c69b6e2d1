// What a file is by its first bytes, whatever it is called.
#include "node/service/media_type.h"

#include <string>

#include "gtest/gtest.h"

namespace entente::service {
namespace {

TEST(MediaTypeTest, KnowsWhatInvestigatorsExchange) {
  EXPECT_EQ(SniffMediaType("%PDF-1.7\n"), "application/pdf");
  EXPECT_EQ(SniffMediaType("\x89PNG\r\n\x1a\n"), "image/png");
  EXPECT_EQ(SniffMediaType("\xFF\xD8\xFF\xE0"), "image/jpeg");
  EXPECT_EQ(SniffMediaType("name;amount\nA;1\n"), "text/plain");
}

TEST(MediaTypeTest, WhatItDoesNotKnowIsBytes) {
  EXPECT_EQ(SniffMediaType(std::string("\x00\x01\x02\x03", 4)), "application/octet-stream");
  EXPECT_FALSE(SniffMediaType("").empty());
}

}  // namespace
}  // namespace entente::service
