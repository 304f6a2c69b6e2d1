// Checks RocksDB's log files (write-ahead log and manifest) before RocksDB reads them.
//
// Why not leave it to RocksDB: its recovery modes either refuse an unfinished last record, so that
// a node would not start after a power cut in mid-write, or accept one, and then a single flipped
// bit in a length field makes acknowledged rows vanish without a word. A reader of the format can
// tell the two apart:
//
//   unfinished   the file ends inside a record, and what is there is a true prefix of it. Every
//                commit is synced before it is acknowledged, so this was never acknowledged.
//   damaged      anything else that does not check out: a complete record with a wrong checksum, a
//                valid record after the bad one, or a last record whose checksum would be right if
//                only its length field were.
//
// Format (since LevelDB): blocks of 32 KiB; in a block, records of
//   crc32c u32le, masked, over type and data ‖ length u16le ‖ type u8 ‖ data
// with type 1 full, 2 first, 3 middle, 4 last; fewer than 7 bytes at the end of a block are zero.
// Pure: bytes in, verdict out. Tests: tests/node/store/log_check_test.cc.
#pragma once

#include <cstdint>
#include <string_view>

namespace entente::store {

struct LogVerdict {
  enum Kind { kClean, kUnfinished, kDamaged };
  Kind kind = kClean;
  // kUnfinished: where the unfinished record begins, that is, how much of the file to keep.
  // kDamaged: where the first bad record begins.
  uint64_t offset = 0;
};

// `log` is the whole decrypted file.
LogVerdict CheckLog(std::string_view log);

}  // namespace entente::store
