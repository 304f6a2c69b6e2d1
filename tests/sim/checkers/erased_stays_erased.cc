#include <algorithm>

#include "crypto/entry_header.h"
#include "crypto/hash.h"
#include "entente/v1/client.pb.h"
#include "entente/v1/storage.pb.h"
#include "sync/schema.h"
#include "tests/sim/checkers/checker.h"

namespace entente::sim {
namespace {

// An honest node that others still talk to: it has heard of everything.
bool Hears(Inspection& in, const Node& node) {
  return !node.hostile && !in.ledger.LeftOut(node.code());
}

// Where a body is gone, what it could be opened with is gone as well: the key, and the Epoch entry
// that a reading or recovery key would give it back from.
std::string NoKeyIsLeft(Inspection& in, const Node& node) {
  for (const auto& [id, log] : in.all.logs()) {
    std::set<uint32_t> open;  // epochs whose Epoch entry stands here
    for (auto it = node.disk.kv.rows().lower_bound(sync::schema::Entry(id, 0));
         it != node.disk.kv.rows().end() && it->first < sync::schema::Entry(id, UINT64_MAX); ++it) {
      const std::optional<SeenEntry> entry = ReadEntryRow(it->second);
      ByteReader place(std::string_view(it->first).substr(33));
      const uint64_t index = *place.ReadU64();
      if (!entry.has_value()) continue;
      if (entry->type == crypto::kEpoch) {
        if (!entry->erased) open.insert(entry->epoch);
        continue;
      }
      if (!entry->erased) continue;
      if (open.contains(entry->epoch)) {
        return Cat(node.code(), " keeps the epoch that an erased entry was opened with");
      }
      if (in.all.HasKey(node.code(), log, index, entry->epoch)) {
        return Cat(node.code(), " keeps the key of an erased entry");
      }
      in.world.counters().Hit("erased entries without a key");
    }
  }
  return "";
}

// By its record, or by an order that it has carried out.
bool KnewOf(const Node& node, const BlobId& file) {
  const auto& rows = node.disk.kv.rows();
  if (rows.contains(sync::schema::Blob(file))) return true;
  for (auto it = rows.lower_bound("z"); it != rows.end() && it->first[0] == 'z'; ++it) {
    v1::OrderRow row;
    if (!row.ParseFromString(it->second)) continue;
    const auto& files = row.files();
    if (std::find(files.begin(), files.end(), file.view()) != files.end()) return true;
  }
  return false;
}

std::map<Hash, v1::ErasureOrder> OrdersOf(const v1::ErasureView& erasure) {
  std::map<Hash, v1::ErasureOrder> out;
  for (const std::string& raw : erasure.orders()) {
    v1::SignedErasureOrder as_signed;
    if (as_signed.ParseFromString(raw)) {
      out[crypto::Sha256(as_signed.order())].ParseFromString(as_signed.order());
    }
  }
  return out;
}

// How far a node is with each order, for whoever has to find out why.
std::string HowFar(Inspection& in, const Node& node, const v1::ErasureView& erasure) {
  std::string out;
  for (const auto& [id, order] : OrdersOf(erasure)) {
    const LogId log = *LogId::From(order.log_id());
    const auto& rows = node.disk.kv.rows();
    const auto stored = rows.find(sync::schema::Order(id));
    v1::OrderRow row;
    if (stored != rows.end()) row.ParseFromString(stored->second);
    out += Cat("\n  of log ", log.hex().substr(0, 8), ", ",
               stored == rows.end() ? "not heard of" : v1::ErasureStage_Name(row.stage()), ":");
    for (const uint64_t index : order.indexes()) {
      const auto entry = rows.find(sync::schema::Entry(log, index));
      const auto read = entry == rows.end() ? std::nullopt : ReadEntryRow(entry->second);
      std::string state = "missing";
      if (read.has_value()) {
        const bool opens = in.all.HasKey(node.code(), in.all.logs().at(log), index, read->epoch);
        state = read->erased ? "erased" : opens ? "held" : "locked";
        if (read->type == crypto::kEpoch) state += " epoch";
      }
      out += Cat(" ", std::to_string(index), " ", state);
    }
  }
  return out;
}

std::shared_ptr<v1::ShowEvidenceResponse> ShownToOwner(Inspection& in, const ErasedRecord& erased,
                                                       std::string* problem) {
  auto request = std::make_shared<v1::ShowEvidenceRequest>();
  request->set_record(Hex(erased.id));
  return in.world.Ask<v1::ShowEvidenceResponse>(
      in.world.node(erased.owner), "/entente.v1.EvidenceService/ShowEvidence", request, problem);
}

// Nothing that says something of the record stands anywhere that can still read it.
std::string NothingIsHeld(Inspection& in, const ErasedRecord& erased) {
  const auto held_here = [&](const Node& node) {
    std::string problem;
    const auto shown = ShownToOwner(in, erased, &problem);
    return shown == nullptr ? problem : HowFar(in, node, shown->record().erasure());
  };
  for (const auto& [id, log] : in.all.logs()) {
    const Node* author = in.world.Find(log.author);
    if (author == nullptr || in.ledger.LeftOut(author->code())) continue;
    for (const auto& [index, entry] : log.entries) {
      if (!entry.text.has_value() || entry.text->record_id() != erased.id) continue;
      if (entry.text->has_erase() || entry.text->has_statement()) continue;
      if (index >= in.ledger.HadTime(id) || index >= in.ledger.EndOf(id, log.author_card)) break;
      for (const auto& node : in.world.nodes()) {
        const auto row = node->disk.kv.rows().find(sync::schema::Entry(id, index));
        if (!Hears(in, *node) || row == node->disk.kv.rows().end() || IsErased(row->second)) {
          continue;
        }
        if (!in.all.HasKey(node->code(), log, index, entry.epoch)) continue;
        return Cat(node->code(), " still holds an entry of ", erased.ref, ", which ", erased.owner,
                   " has had erased: ", std::to_string(index), " of a log of ", author->code(), " ",
                   id.hex().substr(0, 8), ", kind of change ",
                   std::to_string(entry.text->change_case()), held_here(*node));
      }
    }
  }
  for (const auto& node : in.world.nodes()) {
    if (!Hears(in, *node)) continue;
    for (const BlobId& file : erased.files) {
      // A database that was lost does not know any more what lies beside it.
      if (node->disk.blobs.contains(file) && KnewOf(*node, file)) {
        return Cat(node->code(), " still has a file of ", erased.ref, ", which ", erased.owner,
                   " has had erased");
      }
    }
  }
  return "";
}

// Nor does what no key is left for.
std::string NoBodyIsHeld(Inspection& in, const ErasedRecord& erased, const v1::ErasureView& view) {
  for (const auto& [id, order] : OrdersOf(view)) {
    const LogId log = *LogId::From(order.log_id());
    for (const uint64_t index : order.indexes()) {
      if (index >= in.ledger.HadTime(log)) continue;
      for (const auto& node : in.world.nodes()) {
        const auto row = node->disk.kv.rows().find(sync::schema::Entry(log, index));
        if (!Hears(in, *node) || row == node->disk.kv.rows().end() || IsErased(row->second)) {
          continue;
        }
        return Cat(node->code(), " still has what ", erased.owner, " has ordered erased of ",
                   erased.ref, HowFar(in, *node, view));
      }
    }
  }
  return "";
}

std::string EverybodyHasConfirmed(Inspection& in, const ErasedRecord& erased) {
  std::string problem;
  const auto shown = ShownToOwner(in, erased, &problem);
  if (shown == nullptr) return Cat(erased.owner, " does not know of ", erased.ref, ": ", problem);
  if (!shown->record().has_erasure()) {
    return Cat(erased.owner, " does not show that ", erased.ref, " is erased");
  }
  if (std::string held = NoBodyIsHeld(in, erased, shown->record().erasure()); !held.empty()) {
    return held;
  }
  bool all = true;
  for (const v1::ErasureAnswer& answer : shown->record().erasure().bodies()) {
    all = all && answer.state() == "confirmed";
    if (answer.state() == "confirmed" || !Hears(in, in.world.node(answer.body()))) continue;
    return Cat(answer.body(), " has not confirmed to ", erased.owner, " that it has destroyed ",
               erased.ref, " but is ", answer.state(),
               HowFar(in, in.world.node(answer.body()), shown->record().erasure()));
  }
  if (all) in.world.counters().Hit("erased everywhere");
  return "";
}

}  // namespace

std::string ErasedStaysErased(Inspection& in) {
  for (const auto& node : in.world.nodes()) {
    if (node->hostile) continue;
    if (std::string problem = NoKeyIsLeft(in, *node); !problem.empty()) return problem;
  }
  for (const ErasedRecord& erased : in.ledger.erased()) {
    const Promise& order = in.ledger.promises()[erased.order];
    if (order.lost_with_disk || !Hears(in, in.world.node(erased.owner))) continue;
    if (std::string problem = NothingIsHeld(in, erased); !problem.empty()) return problem;
    if (std::string problem = EverybodyHasConfirmed(in, erased); !problem.empty()) return problem;
  }
  return "";
}

}  // namespace entente::sim
