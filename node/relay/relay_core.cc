#include "node/relay/relay_core.h"

#include <algorithm>
#include <utility>

#include "crypto/hash.h"
#include "crypto/parcel_header.h"

namespace entente::relay {
namespace {

constexpr int64_t kHourSeconds = 3600;
constexpr int64_t kDaySeconds = 86400;

int64_t HourOf(absl::Time time) { return absl::ToUnixSeconds(time) / kHourSeconds; }
int64_t DayOf(absl::Time time) { return absl::ToUnixSeconds(time) / kDaySeconds; }

// Always the same words: whoever may not do something learns nothing about what there is.
absl::Status NotAllowed() {
  return absl::PermissionDeniedError("this key may not do that here [NOT_ALLOWED]");
}
absl::Status Full(std::string_view what) {
  return absl::ResourceExhaustedError(Cat(what, " [RELAY_FULL]"));
}

absl::Time ErasedAtLatest(int64_t hour) {
  return absl::FromUnixSeconds(hour * kHourSeconds) + kParcelLife;
}

}  // namespace

absl::StatusOr<RelayCore> RelayCore::Open(RelayStorage& storage, Quotas quotas, absl::Time now) {
  absl::StatusOr<RelayStorage::Contents> contents = storage.Load();
  if (!contents.ok()) return contents.status();
  RelayCore core(storage, quotas);
  core.table_ = std::move(contents->table);
  for (const auto& [party, node] : core.table_.nodes) core.fetchers_[node.spki] = party;
  for (const WaitingParcel& parcel : contents->parcels) {
    core.next_order_ = std::max(core.next_order_, parcel.order + 1);
    core.Keep(parcel);
  }
  if (absl::Status s = core.Expire(now); !s.ok()) return s;
  return core;
}

// ---- bookkeeping in memory; storage goes first

void RelayCore::Keep(const WaitingParcel& parcel) {
  Box& box = boxes_[parcel.mailbox];
  box.waiting[parcel.order] = parcel;
  box.by_id[parcel.id] = parcel.order;
  box.bytes += parcel.bytes;
  bytes_ += parcel.bytes;
  ++parcels_;
}

void RelayCore::Forget(const WaitingParcel& parcel) {
  const auto it = boxes_.find(parcel.mailbox);
  if (it == boxes_.end() || it->second.waiting.erase(parcel.order) == 0) return;
  it->second.by_id.erase(parcel.id);
  it->second.bytes -= parcel.bytes;
  bytes_ -= parcel.bytes;
  --parcels_;
  if (it->second.waiting.empty()) boxes_.erase(it);
}

absl::Status RelayCore::EraseAll(const std::vector<WaitingParcel>& parcels) {
  if (parcels.empty()) return absl::OkStatus();
  if (absl::Status s = storage_->Erase(parcels); !s.ok()) return s;
  for (const WaitingParcel& parcel : parcels) Forget(parcel);
  return absl::OkStatus();
}

absl::Status RelayCore::SaveTable(Table table) {
  if (table == table_) return absl::OkStatus();
  if (absl::Status s = storage_->SaveTable(table); !s.ok()) return s;
  table_ = std::move(table);
  fetchers_.clear();
  for (const auto& [party, node] : table_.nodes) fetchers_[node.spki] = party;
  return absl::OkStatus();
}

const AdmittedNode* RelayCore::FindFetcher(const Hash& spki) const {
  const auto it = fetchers_.find(spki);
  return it == fetchers_.end() ? nullptr : &table_.nodes.at(it->second);
}

absl::Status RelayCore::CheckRoom(const MailboxId& mailbox, size_t bytes) const {
  if (bytes_ + bytes > quotas_.bytes_total) return Full("the relay is full");
  const auto it = boxes_.find(mailbox);
  if (it == boxes_.end()) return absl::OkStatus();
  if (it->second.waiting.size() >= quotas_.parcels_per_mailbox ||
      it->second.bytes + bytes > quotas_.bytes_per_mailbox) {
    return Full("the mailbox is full");
  }
  return absl::OkStatus();
}

// ---- what is asked

absl::Status RelayCore::Admit(const AdmittedNode& node) {
  Table table = table_;
  const auto held = table.nodes.find(node.party);
  if (held == table.nodes.end() && table.nodes.size() >= quotas_.nodes) {
    return Full("no room for another node");
  }
  if (held != table.nodes.end() && node.card < held->second.card) {
    return absl::FailedPreconditionError("a newer card of this body is admitted [OLD_CARD]");
  }
  const auto other = fetchers_.find(node.spki);
  if (other != fetchers_.end() && other->second != node.party) {
    return absl::AlreadyExistsError("another body is admitted with this key [KEY_IN_USE]");
  }
  table.nodes[node.party] = node;
  return SaveTable(std::move(table));
}

absl::Status RelayCore::OpenMailboxes(const Hash& fetcher,
                                      const std::vector<Registration>& mailboxes, absl::Time now) {
  const AdmittedNode* node = FindFetcher(fetcher);
  if (node == nullptr) return NotAllowed();
  const PartyId owner = node->party;
  Table table = table_;
  for (const Registration& asked : mailboxes) {
    const auto [it, fresh] =
        table.mailboxes.try_emplace(asked.id, OpenMailbox{asked.id, owner, {}, 0});
    if (it->second.owner != owner) return NotAllowed();
    it->second.deposit_spki = asked.deposit_spki;
    it->second.renewed = std::max(it->second.renewed, DayOf(now));
  }
  const auto owned = std::count_if(table.mailboxes.begin(), table.mailboxes.end(),
                                   [&](const auto& item) { return item.second.owner == owner; });
  if (static_cast<size_t>(owned) > quotas_.mailboxes_per_node) return Full("too many mailboxes");
  return SaveTable(std::move(table));
}

absl::StatusOr<RelayCore::Deposited> RelayCore::Deposit(const Hash& depositor,
                                                        std::string_view parcel, absl::Time now) {
  const absl::StatusOr<crypto::ParcelHeader> header = crypto::ParseParcelHeader(parcel);
  if (!header.ok()) {
    return absl::InvalidArgumentError(Cat(ToStd(header.status().message()), " [NOT_A_PARCEL]"));
  }
  const auto mailbox = table_.mailboxes.find(header->mailbox);
  if (mailbox == table_.mailboxes.end() || mailbox->second.deposit_spki != depositor) {
    return NotAllowed();
  }
  WaitingParcel waiting;
  waiting.mailbox = header->mailbox;
  waiting.hour = HourOf(now);
  waiting.id = *ParcelId::From(crypto::Sha256(parcel).view());
  waiting.bytes = parcel.size();
  if (const auto box = boxes_.find(waiting.mailbox); box != boxes_.end()) {
    if (const auto same = box->second.by_id.find(waiting.id); same != box->second.by_id.end()) {
      const int64_t hour = box->second.waiting.at(same->second).hour;
      return Deposited{waiting.mailbox, ErasedAtLatest(hour), true};
    }
  }
  if (absl::Status s = CheckRoom(waiting.mailbox, waiting.bytes); !s.ok()) return s;
  waiting.order = next_order_;
  if (absl::Status s = storage_->Put(waiting, parcel); !s.ok()) return s;
  ++next_order_;
  Keep(waiting);
  return Deposited{waiting.mailbox, ErasedAtLatest(waiting.hour), false};
}

absl::StatusOr<std::vector<RelayCore::Fetched>> RelayCore::Fetch(const Hash& fetcher,
                                                                 size_t parcels_max,
                                                                 absl::Time now) {
  const AdmittedNode* node = FindFetcher(fetcher);
  if (node == nullptr) return NotAllowed();
  if (absl::Status s = Expire(now); !s.ok()) return s;
  std::map<uint64_t, const WaitingParcel*> waiting;
  for (const auto& [id, box] : boxes_) {
    const auto mailbox = table_.mailboxes.find(id);
    if (mailbox == table_.mailboxes.end() || mailbox->second.owner != node->party) continue;
    for (const auto& [order, parcel] : box.waiting) waiting[order] = &parcel;
  }
  std::vector<Fetched> out;
  std::vector<WaitingParcel> damaged;
  size_t bytes = 0;
  for (const auto& [order, parcel] : waiting) {
    if (out.size() >= parcels_max || (!out.empty() && bytes + parcel->bytes > kFetchBytesMax)) {
      break;
    }
    absl::StatusOr<std::string> read = storage_->Get(*parcel);
    if (absl::IsDataLoss(read.status())) {
      // The recipient could not use it either; its sender will send the entries again.
      damaged.push_back(*parcel);
      continue;
    }
    if (!read.ok()) return read.status();
    bytes += parcel->bytes;
    out.push_back({parcel->id, *std::move(read)});
  }
  if (absl::Status s = EraseAll(damaged); !s.ok()) return s;
  return out;
}

absl::Status RelayCore::Acknowledge(const Hash& fetcher, const std::vector<ParcelId>& ids) {
  const AdmittedNode* node = FindFetcher(fetcher);
  if (node == nullptr) return NotAllowed();
  const std::set<ParcelId> asked(ids.begin(), ids.end());
  std::vector<WaitingParcel> done;
  for (const auto& [id, box] : boxes_) {
    const auto mailbox = table_.mailboxes.find(id);
    if (mailbox == table_.mailboxes.end() || mailbox->second.owner != node->party) continue;
    for (const ParcelId& parcel : asked) {
      const auto it = box.by_id.find(parcel);
      if (it != box.by_id.end()) done.push_back(box.waiting.at(it->second));
    }
  }
  return EraseAll(done);
}

absl::Status RelayCore::Expire(absl::Time now) {
  std::vector<WaitingParcel> due;
  for (const auto& [id, box] : boxes_) {
    for (const auto& [order, parcel] : box.waiting) {
      if (ErasedAtLatest(parcel.hour) <= now) due.push_back(parcel);
    }
  }
  if (absl::Status s = EraseAll(due); !s.ok()) return s;
  Table table = table_;
  std::erase_if(table.mailboxes, [&](const auto& item) {
    return DayOf(now) - item.second.renewed > kMailboxDays && !boxes_.contains(item.first);
  });
  return SaveTable(std::move(table));
}

std::map<Hash, PartyId> RelayCore::Pins() const {
  std::map<Hash, PartyId> pins;
  for (const auto& [id, mailbox] : table_.mailboxes) pins[mailbox.deposit_spki] = PartyId();
  for (const auto& [spki, party] : fetchers_) pins[spki] = party;
  return pins;
}

RelayCore::Totals RelayCore::totals() const {
  Totals out{table_.nodes.size(), table_.mailboxes.size(), parcels_, bytes_, 0};
  for (const auto& [id, box] : boxes_) {
    const int64_t oldest = box.waiting.begin()->second.hour * kHourSeconds;
    if (out.oldest == 0 || oldest < out.oldest) out.oldest = oldest;
  }
  return out;
}

}  // namespace entente::relay
