// The relay's plain files. Nothing is in them but mailboxes, hours, sizes and sealed bytes.
//
//   table                                  text, written to a temporary file, synced, renamed:
//     entente-relay-table-1
//     node <party> <tls key SHA-256> <card number>
//     mailbox <id> <owner> <deposit key SHA-256> <day renewed>
//     end <SHA-256 of all lines above>
//   parcels/<mailbox>/<order>-<hour>-<id>  the sealed parcel as it came; order and hour are 16 hex
//                                          digits, mailbox and id 64
//
// A parcel's file is synced, renamed into place and its folder synced before Put returns; names
// that end in ".tmp" are what a crash left and are removed at Load. Thread-safe as far as RelayCore
// needs it: one caller at a time. Tests: tests/node/relay/relay_store_test.cc.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "node/relay/relay_core.h"

namespace entente::relay {

// Exact text of the table file. InvalidArgument names the line; DataLoss: the sum does not hold.
std::string EncodeTable(const Table& table);
absl::StatusOr<Table> ParseTable(std::string_view text);

class RelayStore : public RelayStorage {
 public:
  // Room on the volume that is left for everything else.
  static constexpr uint64_t kReserveBytes = uint64_t{64} << 20;

  explicit RelayStore(std::string data_dir) : dir_(std::move(data_dir)) {}

  absl::StatusOr<Contents> Load() override;
  absl::Status SaveTable(const Table& table) override;
  absl::Status Put(const WaitingParcel& parcel, std::string_view bytes) override;
  absl::StatusOr<std::string> Get(const WaitingParcel& parcel) override;
  absl::Status Erase(const std::vector<WaitingParcel>& parcels) override;

 private:
  std::string BoxDir(const MailboxId& mailbox) const;
  std::string PathOf(const WaitingParcel& parcel) const;
  absl::Status MakeBoxDir(const MailboxId& mailbox);

  std::string dir_;
  std::set<MailboxId> made_;  // folders that are known to be durable
};

}  // namespace entente::relay
