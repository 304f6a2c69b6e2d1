#include "sync/refusals.h"

#include <utility>

#include "sync/schema.h"

namespace entente::sync {

absl::Status Refusals::Load() {
  return store_.Scan("f", "g", [&](std::string_view key, std::string_view value) {
    v1::RefusalRow row;
    const absl::StatusOr<PartyId> peer = PartyId::From(key.substr(1, 32));
    if (peer.ok() && row.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      const bool by_peer = row.by_peer();
      const uint32_t code = row.code();
      rows_[{*peer, by_peer, code}] = std::move(row);
    }
    return true;
  });
}

void Refusals::Record(const PartyId& peer, bool by_peer, v1::RefusalCode code,
                      const std::string& detail, absl::Time now) {
  if (!v1::RefusalCode_IsValid(code)) code = v1::REFUSAL_CODE_UNSPECIFIED;
  if (!by_peer) ++refused_here_;
  v1::RefusalRow& row = rows_[{peer, by_peer, static_cast<uint32_t>(code)}];
  if (row.count() == 0) row.set_first_time(absl::ToUnixSeconds(now));
  row.set_by_peer(by_peer);
  row.set_code(static_cast<uint32_t>(code));
  row.set_detail(detail);
  row.set_last_time(absl::ToUnixSeconds(now));
  row.set_count(row.count() + 1);
  store_.Put(schema::Refusal(peer, by_peer, static_cast<uint32_t>(code)), row.SerializeAsString());
}

std::vector<Refusals::Item> Refusals::All() const {
  std::vector<Item> out;
  for (const auto& [key, row] : rows_) out.push_back({std::get<0>(key), row});
  return out;
}

}  // namespace entente::sync
