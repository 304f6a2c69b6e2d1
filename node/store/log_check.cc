#include "node/store/log_check.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

namespace entente::store {
namespace {

constexpr size_t kBlockBytes = 32 * 1024;
constexpr size_t kHeaderBytes = 7;
constexpr uint8_t kFull = 1;
constexpr uint8_t kFirst = 2;
constexpr uint8_t kLast = 4;  // 3 is a middle

// CRC-32C (Castagnoli, reflected), as RFC 3720 appendix B.4 defines it.
constexpr std::array<uint32_t, 256> MakeCrcTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0u);
    table[i] = crc;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kCrcTable = MakeCrcTable();

uint32_t Crc32c(std::string_view bytes) {
  uint32_t crc = 0xFFFFFFFFu;
  for (const char byte : bytes) {
    crc = (crc >> 8) ^ kCrcTable[(crc ^ static_cast<uint8_t>(byte)) & 0xFF];
  }
  return ~crc;
}

// A checksum of data that itself contains checksums is weak; LevelDB rotates and adds.
uint32_t Mask(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u; }

uint8_t ByteAt(std::string_view log, size_t at) { return static_cast<uint8_t>(log[at]); }

uint32_t StoredCrc(std::string_view log, size_t at) {
  return ByteAt(log, at) | uint32_t{ByteAt(log, at + 1)} << 8 |
         uint32_t{ByteAt(log, at + 2)} << 16 | uint32_t{ByteAt(log, at + 3)} << 24;
}

size_t StoredLength(std::string_view log, size_t at) {
  return ByteAt(log, at + 4) | size_t{ByteAt(log, at + 5)} << 8;
}

// Whether a record at `at` with `length` bytes of data carries the right checksum.
bool ChecksOut(std::string_view log, size_t at, size_t length) {
  return StoredCrc(log, at) == Mask(Crc32c(log.substr(at + kHeaderBytes - 1, 1 + length)));
}

// Where a record that starts at `at` must have ended: its block, and the file.
size_t BlockEnd(std::string_view log, size_t at) {
  return std::min(log.size(), at / kBlockBytes * kBlockBytes + kBlockBytes);
}

// Whether any valid record begins behind `from`, looked for at every byte of the one block that is
// left. A chance hit of 32 bits of checksum is unlikely, and costs a refused start, not a row.
bool ValidRecordAfter(std::string_view log, size_t from) {
  for (size_t at = from + 1; at + kHeaderBytes <= log.size(); ++at) {
    const size_t end = BlockEnd(log, at);
    if (at + kHeaderBytes > end) continue;
    const uint8_t type = ByteAt(log, at + 6);
    const size_t length = StoredLength(log, at);
    if (type < kFull || type > kLast || at + kHeaderBytes + length > end) continue;
    if (ChecksOut(log, at, length)) return true;
  }
  return false;
}

// The record at `at` reaches beyond the end of the file: cut short, or is its length field wrong?
bool IsTruePrefix(std::string_view log, size_t at) {
  const size_t rest = log.size() - at;
  if (rest < kHeaderBytes) return true;
  const uint8_t type = ByteAt(log, at + 6);
  if (type < kFull || type > kLast) return false;
  return !ChecksOut(log, at, rest - kHeaderBytes) && !ValidRecordAfter(log, at);
}

}  // namespace

LogVerdict CheckLog(std::string_view log) {
  std::optional<size_t> started;  // where the record under way began: first, middle …
  size_t at = 0;
  while (at < log.size()) {
    const size_t block_end = at / kBlockBytes * kBlockBytes + kBlockBytes;
    if (block_end - at < kHeaderBytes) {
      const std::string_view trailer = log.substr(at, block_end - at);
      if (trailer.find_first_not_of('\0') != std::string_view::npos) {
        return {LogVerdict::kDamaged, at};
      }
      at = block_end;
      continue;
    }
    const bool header_here = at + kHeaderBytes <= log.size();
    const size_t length = header_here ? StoredLength(log, at) : 0;
    const size_t end = at + kHeaderBytes + length;
    if (header_here && end > block_end) return {LogVerdict::kDamaged, at};
    if (!header_here || end > log.size()) {
      if (!IsTruePrefix(log, at)) return {LogVerdict::kDamaged, at};
      return {LogVerdict::kUnfinished, started.value_or(at)};
    }
    const uint8_t type = ByteAt(log, at + 6);
    const bool opens = type == kFull || type == kFirst;
    const bool fits = opens ? !started.has_value() : started.has_value();
    if (type < kFull || type > kLast || !fits || !ChecksOut(log, at, length)) {
      return {LogVerdict::kDamaged, at};
    }
    if (type == kFirst) started = at;
    if (type == kLast) started.reset();
    at = end;
  }
  if (started.has_value()) return {LogVerdict::kUnfinished, *started};
  return {LogVerdict::kClean, log.size()};
}

}  // namespace entente::store
