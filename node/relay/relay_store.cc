#include "node/relay/relay_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>

#include "absl/strings/str_split.h"
#include "crypto/hash.h"
#include "crypto/parcel_header.h"
#include "node/relay/relay_files.h"
#include "node/store/file_io.h"

namespace entente::relay {
namespace {

constexpr std::string_view kMagic = "entente-relay-table-1";
constexpr uint64_t kTableBytesMax = 64 << 20;
constexpr std::string_view kTemporary = ".tmp";
constexpr size_t kNameBytes = 16 + 1 + 16 + 1 + 64;

std::string Hex16(uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(value));
  return text;
}

template <class T>
std::optional<T> Number(std::string_view text, int base) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

absl::Status BadLine(size_t number, std::string_view line) {
  return absl::InvalidArgumentError(Cat("the relay's table, line ", std::to_string(number),
                                        " is not understood: \"", line, "\" [BAD_TABLE]"));
}

bool ParseNode(const std::vector<std::string>& words, Table* table) {
  if (words.size() != 4) return false;
  const auto party = PartyId::FromHex(words[1]);
  const auto spki = Hash::FromHex(words[2]);
  const auto card = Number<uint32_t>(words[3], 10);
  if (!party.ok() || !spki.ok() || !card.has_value()) return false;
  return table->nodes.emplace(*party, AdmittedNode{*party, *spki, *card}).second;
}

bool ParseMailbox(const std::vector<std::string>& words, Table* table) {
  if (words.size() != 5) return false;
  const auto id = MailboxId::FromHex(words[1]);
  const auto owner = PartyId::FromHex(words[2]);
  const auto spki = Hash::FromHex(words[3]);
  const auto day = Number<int64_t>(words[4], 10);
  if (!id.ok() || !owner.ok() || !spki.ok() || !day.has_value()) return false;
  return table->mailboxes.emplace(*id, OpenMailbox{*id, *owner, *spki, *day}).second;
}

// "<order>-<hour>-<id>" back into what it says.
std::optional<WaitingParcel> ParseName(const std::string& name, const MailboxId& mailbox) {
  if (name.size() != kNameBytes || name[16] != '-' || name[33] != '-') return std::nullopt;
  const auto order = Number<uint64_t>(std::string_view(name).substr(0, 16), 16);
  const auto hour = Number<int64_t>(std::string_view(name).substr(17, 16), 16);
  const auto id = ParcelId::FromHex(std::string_view(name).substr(34));
  if (!order.has_value() || !hour.has_value() || !id.ok()) return std::nullopt;
  return WaitingParcel{mailbox, *order, *hour, *id, 0};
}

bool IsBucket(uint64_t bytes) {
  return std::find(crypto::kParcelBuckets.begin(), crypto::kParcelBuckets.end(), bytes) !=
         crypto::kParcelBuckets.end();
}

bool EndsWith(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

std::string EncodeTable(const Table& table) {
  std::string out = Cat(kMagic, "\n");
  for (const auto& [party, node] : table.nodes) {
    out += Cat("node ", party.hex(), " ", node.spki.hex(), " ", std::to_string(node.card), "\n");
  }
  for (const auto& [id, mailbox] : table.mailboxes) {
    out += Cat("mailbox ", id.hex(), " ", mailbox.owner.hex(), " ", mailbox.deposit_spki.hex(), " ",
               std::to_string(mailbox.renewed), "\n");
  }
  return Cat(out, "end ", crypto::Sha256(out).hex(), "\n");
}

absl::StatusOr<Table> ParseTable(std::string_view text) {
  Table table;
  size_t start = 0;
  for (size_t number = 1; start < text.size(); ++number) {
    const size_t end = text.find('\n', start);
    if (end == std::string_view::npos) return BadLine(number, text.substr(start));
    const std::string_view line = text.substr(start, end - start);
    const std::vector<std::string> words = absl::StrSplit(ToAbsl(line), ' ');
    if (number == 1) {
      if (line != kMagic) return BadLine(number, line);
    } else if (words[0] == "node") {
      if (!ParseNode(words, &table)) return BadLine(number, line);
    } else if (words[0] == "mailbox") {
      if (!ParseMailbox(words, &table)) return BadLine(number, line);
    } else if (words[0] == "end" && words.size() == 2) {
      if (end + 1 != text.size()) return BadLine(number + 1, text.substr(end + 1, 80));
      if (words[1] == crypto::Sha256(text.substr(0, start)).hex()) return table;
      return absl::DataLossError("the relay's table is damaged: its sum does not hold");
    } else {
      return BadLine(number, line);
    }
    start = end + 1;
  }
  return absl::DataLossError("the relay's table is damaged: its end is missing");
}

std::string RelayStore::BoxDir(const MailboxId& mailbox) const {
  return Cat(dir_, "/", kParcelsDir, "/", mailbox.hex());
}

std::string RelayStore::PathOf(const WaitingParcel& parcel) const {
  return Cat(BoxDir(parcel.mailbox), "/", Hex16(parcel.order), "-",
             Hex16(static_cast<uint64_t>(parcel.hour)), "-", parcel.id.hex());
}

absl::StatusOr<RelayStorage::Contents> RelayStore::Load() {
  Contents out;
  const std::string table_path = Cat(dir_, "/", kTableFile);
  if (store::Exists(table_path)) {
    const absl::StatusOr<std::string> text = store::ReadFile(table_path, kTableBytesMax);
    if (!text.ok()) return text.status();
    absl::StatusOr<Table> table = ParseTable(*text);
    if (!table.ok()) return table.status();
    out.table = *std::move(table);
  }
  const std::string parcels = Cat(dir_, "/", kParcelsDir);
  if (absl::Status s = store::MakeDirs(parcels); !s.ok()) return s;
  const absl::StatusOr<std::vector<std::string>> boxes = store::ListDir(parcels);
  if (!boxes.ok()) return boxes.status();
  for (const std::string& box : *boxes) {
    const absl::StatusOr<MailboxId> mailbox = MailboxId::FromHex(box);
    if (!mailbox.ok()) continue;
    made_.insert(*mailbox);
    const absl::StatusOr<std::vector<std::string>> names = store::ListDir(BoxDir(*mailbox));
    if (!names.ok()) return names.status();
    for (const std::string& name : *names) {
      const std::string path = Cat(BoxDir(*mailbox), "/", name);
      if (EndsWith(name, kTemporary)) {
        if (absl::Status s = store::RemoveFile(path); !s.ok()) return s;
        continue;
      }
      std::optional<WaitingParcel> parcel = ParseName(name, *mailbox);
      const absl::StatusOr<store::Fd> file = store::OpenFile(path, O_RDONLY);
      if (!file.ok()) return file.status();
      const absl::StatusOr<uint64_t> size = store::FileSize(*file, path);
      if (!size.ok()) return size.status();
      if (!parcel.has_value() || !IsBucket(*size)) {
        return absl::DataLossError(Cat("not a waiting parcel: ", path));
      }
      parcel->bytes = *size;
      out.parcels.push_back(*parcel);
    }
  }
  return out;
}

absl::Status RelayStore::SaveTable(const Table& table) {
  return store::WriteFileAtomically(Cat(dir_, "/", kTableFile), EncodeTable(table));
}

absl::Status RelayStore::MakeBoxDir(const MailboxId& mailbox) {
  if (made_.contains(mailbox)) return absl::OkStatus();
  if (absl::Status s = store::MakeDirs(BoxDir(mailbox)); !s.ok()) return s;
  made_.insert(mailbox);
  return absl::OkStatus();
}

absl::Status RelayStore::Put(const WaitingParcel& parcel, std::string_view bytes) {
  store::SpaceReserve reserve;
  reserve.bytes = kReserveBytes;
  if (absl::Status s = reserve.Check(dir_, bytes.size()); !s.ok()) return s;
  if (absl::Status s = MakeBoxDir(parcel.mailbox); !s.ok()) return s;
  const std::string path = PathOf(parcel);
  const std::string temporary = Cat(path, kTemporary);
  const auto write = [&]() -> absl::Status {
    const absl::StatusOr<store::Fd> file = store::OpenFile(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file.ok()) return file.status();
    if (absl::Status s = store::Write(*file, bytes, temporary); !s.ok()) return s;
    if (absl::Status s = store::SyncData(*file, temporary); !s.ok()) return s;
    return store::RenameDurably(temporary, path);
  };
  const absl::Status written = write();
  if (!written.ok()) static_cast<void>(store::RemoveFile(temporary));
  return written;
}

absl::StatusOr<std::string> RelayStore::Get(const WaitingParcel& parcel) {
  const std::string path = PathOf(parcel);
  absl::StatusOr<std::string> bytes = store::ReadFile(path, parcel.bytes);
  if (absl::IsNotFound(bytes.status())) {
    return absl::DataLossError(Cat("a waiting parcel is gone: ", path));
  }
  if (!bytes.ok()) return bytes;
  if (crypto::Sha256(*bytes).view() != parcel.id.view()) {
    return absl::DataLossError(Cat("a waiting parcel is damaged: ", path));
  }
  return bytes;
}

absl::Status RelayStore::Erase(const std::vector<WaitingParcel>& parcels) {
  std::set<MailboxId> touched;
  for (const WaitingParcel& parcel : parcels) {
    if (absl::Status s = store::RemoveFile(PathOf(parcel)); !s.ok()) return s;
    touched.insert(parcel.mailbox);
  }
  for (const MailboxId& mailbox : touched) {
    if (absl::Status s = store::SyncDir(BoxDir(mailbox)); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace entente::relay
