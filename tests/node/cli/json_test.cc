// JSON for scripts: every field there, text escaped.
#include "node/cli/json.h"

#include <string>

#include "entente/v1/client.pb.h"
#include "gtest/gtest.h"

namespace entente::cli {
namespace {

TEST(JsonTest, MessagesShowEveryFieldUnderItsOwnName) {
  v1::PeerStatus peer;
  peer.set_code("XB");
  const std::string json = MessageAsJson(peer);
  EXPECT_NE(json.find("\"code\": \"XB\""), std::string::npos) << json;
  EXPECT_NE(json.find("\"last_contact\": \"0\""), std::string::npos) << json;
  EXPECT_NE(json.find("\"connected\": false"), std::string::npos) << json;
}

TEST(JsonTest, TextIsEscaped) {
  EXPECT_EQ(JsonString("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\u000a\\u0001\"");
  const JsonObject inner = JsonObject().Add("n", uint64_t{7}).Add("yes", true);
  EXPECT_EQ(JsonObject().Add("a", "x").Add("inner", inner).str(),
            "{\"a\":\"x\",\"inner\":{\"n\":\"7\",\"yes\":true}}");
}

}  // namespace
}  // namespace entente::cli
