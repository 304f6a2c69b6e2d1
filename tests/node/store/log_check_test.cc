// An unfinished record is told apart from a damaged one at every byte and for every flipped bit.
#include "node/store/log_check.h"

#include <algorithm>
#include <string>

#include "gtest/gtest.h"

namespace entente::store {

void PrintTo(const LogVerdict& verdict, std::ostream* out) {
  *out << (verdict.kind == LogVerdict::kClean        ? "clean"
           : verdict.kind == LogVerdict::kUnfinished ? "unfinished"
                                                     : "damaged")
       << "@" << verdict.offset;
}

namespace {

constexpr size_t kBlock = 32 * 1024;

uint32_t SlowMaskedCrc(std::string_view bytes) {
  uint32_t crc = ~0u;
  for (const char byte : bytes) {
    crc ^= static_cast<uint8_t>(byte);
    for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ (0x82F63B78u & (0u - (crc & 1)));
  }
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
}

// The writer's half of the format, as log_check.h describes it.
void AppendRecord(std::string* log, std::string_view data) {
  bool first = true;
  do {
    const size_t room = kBlock - log->size() % kBlock;
    if (room < 7) {
      log->append(room, '\0');
      continue;
    }
    const size_t piece = std::min(data.size(), room - 7);
    const bool last = piece == data.size();
    const char type = static_cast<char>(first ? (last ? 1 : 2) : (last ? 4 : 3));
    std::string checked(1, type);
    checked += data.substr(0, piece);
    const uint32_t crc = SlowMaskedCrc(checked);
    for (int i = 0; i < 4; ++i) log->push_back(static_cast<char>(crc >> (8 * i)));
    log->push_back(static_cast<char>(piece & 0xFF));
    log->push_back(static_cast<char>(piece >> 8));
    *log += checked;
    data.remove_prefix(piece);
    first = false;
    if (last) return;
  } while (true);
}

TEST(LogCheckTest, WholeLogsAreClean) {
  std::string log;
  EXPECT_EQ(CheckLog(log).kind, LogVerdict::kClean);
  for (const size_t size : {0u, 1u, 100u, 40'000u, 100'000u, 7u, 3u}) {
    AppendRecord(&log, std::string(size, 'x'));
    EXPECT_EQ(CheckLog(log).kind, LogVerdict::kClean) << log.size();
    EXPECT_EQ(CheckLog(log).offset, log.size());
  }
}

// Block ends with 0 to 7 bytes to spare are the format's odd corner.
TEST(LogCheckTest, BlockEndsAreClean) {
  for (size_t spare = 0; spare <= 8; ++spare) {
    std::string log;
    AppendRecord(&log, std::string(kBlock - 7 - spare, 'x'));
    AppendRecord(&log, "next");
    AppendRecord(&log, "");
    EXPECT_EQ(CheckLog(log).kind, LogVerdict::kClean) << spare;
  }
}

TEST(LogCheckTest, EveryCutOfTheLastRecordIsUnfinished) {
  std::string log;
  AppendRecord(&log, std::string(kBlock - 200, 'a'));
  const size_t kept = log.size();
  AppendRecord(&log, std::string(700, 'b'));  // crosses a block
  for (size_t size = kept + 1; size < log.size(); ++size) {
    const LogVerdict verdict = CheckLog(std::string_view(log).substr(0, size));
    ASSERT_EQ(verdict.kind, LogVerdict::kUnfinished) << size;
    ASSERT_EQ(verdict.offset, kept) << size;
  }
  EXPECT_EQ(CheckLog(std::string_view(log).substr(0, kept)).kind, LogVerdict::kClean);
}

// Above all the length field: taken at its word, it would make rows vanish.
TEST(LogCheckTest, EveryFlippedBitIsDamage) {
  std::string log;
  for (const size_t size : {30u, 1u, 0u, 61u}) AppendRecord(&log, std::string(size, 'r'));
  for (size_t bit = 0; bit < log.size() * 8; ++bit) {
    std::string flipped = log;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    ASSERT_EQ(CheckLog(flipped).kind, LogVerdict::kDamaged) << "bit " << bit;
  }
}

TEST(LogCheckTest, FlippedLengthsAreDamageInFragmentsToo) {
  std::string log;
  AppendRecord(&log, std::string(70'000, 'f'));
  AppendRecord(&log, std::string(500, 'g'));
  for (const size_t record : {size_t{0}, kBlock, 2 * kBlock}) {
    for (size_t bit = 0; bit < 7 * 8; ++bit) {
      std::string flipped = log;
      char& byte = flipped[record + bit / 8];
      byte = static_cast<char>(byte ^ (1 << bit % 8));
      ASSERT_EQ(CheckLog(flipped).kind, LogVerdict::kDamaged) << record << " bit " << bit;
    }
  }
}

TEST(LogCheckTest, RecordsOutOfOrderAreDamage) {
  std::string first;
  AppendRecord(&first, std::string(2 * kBlock, 'x'));  // first, middle, last
  const std::string middle = first.substr(kBlock, kBlock);
  EXPECT_EQ(CheckLog(middle).kind, LogVerdict::kDamaged);
  EXPECT_EQ(CheckLog(first.substr(0, kBlock) + first.substr(0, kBlock)).kind, LogVerdict::kDamaged);
  EXPECT_EQ(CheckLog(std::string(100, '\0')).kind, LogVerdict::kDamaged);
}

TEST(LogCheckTest, CutRecordWithAnAlteredHeadIsDamage) {
  std::string log;
  AppendRecord(&log, "kept");
  const size_t kept = log.size();
  AppendRecord(&log, std::string(500, 'c'));
  std::string cut = log.substr(0, kept + 100);
  cut[kept + 6] = 9;  // no such type
  EXPECT_EQ(CheckLog(cut).kind, LogVerdict::kDamaged);
}

}  // namespace
}  // namespace entente::store
