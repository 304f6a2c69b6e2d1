// Bytes that were signed stay as they are: whatever spelling an author chose, everybody who
// receives, stores and forwards it hands on the very same bytes. Protocol §13.
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/fuzz/hostile_member.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::fuzz {
namespace {

std::string Field(int number, int wire_type) {
  return std::string(1, static_cast<char>(number << 3 | wire_type));
}
std::string Text(int number, const std::string& text) {
  return Cat(Field(number, 2), std::string(1, static_cast<char>(text.size())), text);
}

// One EntryBody each, as no encoder of ours would write it.
std::vector<std::string> Spellings() {
  const std::string schema = Field(1, 0) + "\x01";
  const std::string why = Text(12, "why");
  const std::string record = Text(2, std::string(16, 'r'));
  return {
      why + record + schema,                                       // fields out of order
      schema + record + why + std::string("\xC2\x3E\x03new", 6),   // a field of a later version
      Field(1, 0) + "\x81" + std::string(1, '\0') + record + why,  // a number longer than needed
      schema + record + Text(12, "first") + why,                   // a field twice
      schema + record + why + Field(3, 0) + std::string(1, '\0'),  // a default, spelled out
      schema + record + why + Text(4, "") + Text(5, ""),           // empty messages
      schema + Cat(Field(2, 2), "\x90", std::string(1, '\0'), std::string(16, 'r')) + why,
  };
}

TEST(VerbatimTest, UnusualSpellingsSurviveStoringAndForwarding) {
  sync::Federation f({"XA", "XB", "XC"});
  f.TrustAll();
  HostileLog log(*f["XA"].keys, f["XA"].replica->cards().Find(f["XA"].party)->hash, f.jit,
                 {f["XA"].card, f["XB"].card, f["XC"].card});
  const sync::SessionId session = f.Connect(f["XA"], f["XB"]) + 1;
  f.Settle();
  f.on_frame = [&](sync::Body&, sync::Body& to, v1::Frame&) { return to.code != "XA"; };
  std::vector<v1::Frame> frames = {log.AppendEpoch()};
  for (const std::string& bytes : Spellings()) frames.push_back(log.AppendSealed(bytes));
  for (v1::Frame& frame : frames) {
    f.Feed(f["XB"], sync::Input(sync::FrameReceived{session, frame}));
    f.Settle();
  }
  f.Disconnect(f["XA"]);
  // From the disk, by another member than its author.
  f.Start(f["XB"]);
  f.Connect(f["XB"], f["XC"]);
  f.Settle();
  for (const char* code : {"XB", "XC"}) {
    const sync::Body& reader = f[code];
    ASSERT_EQ(reader.opened.size(), Spellings().size()) << code;
    for (size_t i = 0; i < Spellings().size(); ++i) {
      EXPECT_EQ(Hex(reader.opened[i].body_bytes), Hex(Spellings()[i])) << code << " " << i;
      EXPECT_EQ(reader.opened[i].body.justification(), "why") << code << " " << i;
      EXPECT_EQ(reader.opened[i].body.schema(), 1u) << code << " " << i;
    }
  }
  // And the sealed bytes of every entry are those that were signed.
  const sync::LogState* held = f["XC"].replica->logs().Find(log.id());
  ASSERT_NE(held, nullptr);
  for (size_t i = 0; i < frames.size(); ++i) {
    EXPECT_EQ(f["XC"].replica->logs().Read(*held, i)->body, frames[i].batch().entries(0).body());
  }
}

}  // namespace
}  // namespace entente::fuzz
