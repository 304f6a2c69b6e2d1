// What a pinned peer's bytes may cost before anybody has judged them.
#include "node/transport/frame_guard.h"

#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "sync/limits.h"

namespace entente::transport {
namespace {

std::string Varint(size_t left) {
  std::string out;
  for (; left >= 0x80; left >>= 7) out += static_cast<char>(0x80 | (left & 0x7f));
  return out + static_cast<char>(left);
}

// A field with bytes in it.
std::string Field(size_t number, const std::string& value) {
  return Varint(number << 3 | 2) + Varint(value.size()) + value;
}

std::string Around(const std::string& kind) { return Field(1, kind); }

TEST(FrameGuardTest, WhatIsWrittenIsRead) {
  v1::Frame frame;
  frame.mutable_ping()->set_token(7);
  const auto read = ParseFrame(SerializeFrame(frame));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->ping().token(), 7u);
}

TEST(FrameGuardTest, TheLargestHonestFramesPass) {
  v1::Frame heads;
  for (size_t i = 0; i < sync::kHeadsPerFrame; ++i) {
    v1::Head* head = heads.mutable_heads()->add_heads();
    for (std::string* id :
         {head->mutable_log_id(), head->mutable_root(), head->mutable_jit_id(),
          head->mutable_author(), head->mutable_author_card(), head->mutable_audience_id()}) {
      id->assign(32, 'x');
    }
    head->set_audience_salt(std::string(16, 's'));
    head->set_size(uint64_t{1} << 40);
    head->set_incarnation(3);
  }
  EXPECT_TRUE(ParseFrame(SerializeFrame(heads)).has_value());
  v1::Frame batch;
  batch.mutable_batch()->set_head_note(std::string(400, 'n'));
  for (size_t i = 0; i < sync::kBatchEntriesMax; ++i) {
    batch.mutable_batch()->add_entries()->set_body(std::string(255, 'b'));
  }
  for (int i = 0; i < 128; ++i) batch.mutable_batch()->add_edge(std::string(32, 'e'));
  EXPECT_TRUE(ParseFrame(SerializeFrame(batch)).has_value());
  v1::Frame chunk;
  chunk.mutable_chunk()->set_sealed(std::string((1 << 20) + 16, 'c'));
  for (int i = 0; i < 40; ++i) chunk.mutable_chunk()->add_path(std::string(32, 'p'));
  EXPECT_TRUE(ParseFrame(SerializeFrame(chunk)).has_value());
}

TEST(FrameGuardTest, AMillionEmptyElementsAreRefusedBeforeTheyAreObjects) {
  std::string elements;
  for (int i = 0; i < 500'000; ++i) elements += Field(1, "");
  EXPECT_FALSE(WorthParsing(Around(Field(4, elements))));
  std::string frames;
  for (int i = 0; i < 500'000; ++i) frames += Field(4, "");
  EXPECT_FALSE(WorthParsing(Around(frames)));
  std::string messages;
  for (int i = 0; i < 500'000; ++i) messages += Around("");
  EXPECT_FALSE(WorthParsing(messages));
}

TEST(FrameGuardTest, AsManyUnknownFieldsAreRefusedToo) {
  std::string unknown;
  for (int i = 0; i < 100'000; ++i) unknown += std::string("\x78\x01", 2);
  EXPECT_FALSE(WorthParsing(unknown));
  EXPECT_FALSE(WorthParsing(Around(Field(11, unknown))));
}

// A head, a digest, an entry of a batch, either key of a pair: (kind of frame, field in it).
TEST(FrameGuardTest, AMillionFieldsInOneElementAreRefused) {
  std::string unknown;
  for (int i = 0; i < 500'000; ++i) unknown += std::string("\x7a\x00", 2);
  for (const auto& [kind, element] :
       {std::pair<size_t, size_t>{4, 1}, {3, 1}, {6, 1}, {6, 3}, {14, 1}, {14, 2}}) {
    EXPECT_FALSE(WorthParsing(Around(Field(kind, Field(element, unknown))))) << kind;
  }
  std::string heads;
  for (int i = 0; i < 1000; ++i) heads += Field(1, unknown.substr(0, 2 * 100));
  EXPECT_FALSE(WorthParsing(Around(Field(4, heads)))) << "spread over many elements";
}

TEST(FrameGuardTest, BytesThatLookLikeFieldsStayBytes) {
  std::string unknown;
  for (int i = 0; i < 100'000; ++i) unknown += std::string("\x7a\x00", 2);
  for (const std::string& body : {unknown, std::string(100'000, '\xff')}) {
    EXPECT_TRUE(WorthParsing(Around(Field(6, Field(3, Field(2, body))))));
    EXPECT_TRUE(WorthParsing(Around(Field(13, Field(4, body)))));
  }
}

// Its lower half names the frame, which is all that the parser would look at.
TEST(FrameGuardTest, ATagThatIsTooLargeIsRefused) {
  const std::string value = Field(11, "");
  EXPECT_TRUE(WorthParsing("\x0a" + Varint(value.size()) + value));
  EXPECT_FALSE(WorthParsing("\x8a\x80\x80\x80\x10" + Varint(value.size()) + value));
}

TEST(FrameGuardTest, WhatIsTooLargeIsRefused) {
  EXPECT_FALSE(WorthParsing(Around(Field(13, std::string(kPeerMessageBytesMax, 'x')))));
}

TEST(FrameGuardTest, NestingIsRefused) {
  std::string groups;
  for (int i = 0; i < 5'000; ++i) groups += '\x0b';  // "group 1 begins"
  for (int i = 0; i < 5'000; ++i) groups += '\x0c';
  EXPECT_FALSE(WorthParsing(groups));
  EXPECT_FALSE(WorthParsing(Around(groups)));
}

TEST(FrameGuardTest, NoiseAndHalvesAreRefused) {
  const std::string whole = [] {
    v1::Frame frame;
    frame.mutable_want()->set_log_id(std::string(32, 'l'));
    frame.mutable_want()->set_to(1 << 30);
    return SerializeFrame(frame);
  }();
  ASSERT_TRUE(ParseFrame(whole).has_value());
  for (size_t cut = 1; cut < whole.size(); ++cut) {
    EXPECT_FALSE(ParseFrame(whole.substr(0, cut)).has_value()) << cut;
  }
  EXPECT_FALSE(ParseFrame("").has_value());
  EXPECT_FALSE(ParseFrame(std::string(1000, '\xff')).has_value());
  EXPECT_FALSE(ParseFrame("GET / HTTP/1.1\r\n\r\n").has_value());
}

TEST(FrameGuardTest, AFrameOfALaterVersionPasses) {
  const auto frame = ParseFrame(Around(Field(1000, Field(1, "what we do not know"))));
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->frame_case(), v1::Frame::FRAME_NOT_SET);
  EXPECT_GT(frame->ByteSizeLong(), 0u);  // and so is not taken for bytes that are no frame
}

}  // namespace
}  // namespace entente::transport
