// Makes one system call of this process fail, chosen by its number in the order they come: the
// store's own calls and RocksDB's alike, since both find these functions before the C library's.
// Counted are the calls that change a disk: open of a new file, write, pwrite, fsync, fdatasync,
// rename, link, ftruncate; for kReadError, read and pread instead.
#pragma once

#include <cstdint>

namespace entente::store {

enum class Fault {
  kIoError,     // EIO, once: what a broken sector does, also to fsync
  kNoSpace,     // ENOSPC, from then on until disarmed; syncs still work
  kShortWrite,  // half of one write is done, and it says so
  kReadError,   // EIO, once, of a read
};

// From now on the call with this number, counted from 0, fails.
void ArmFault(Fault fault, uint64_t call);
// No more faults. True when one has happened since Arm.
bool DisarmFault();

}  // namespace entente::store
