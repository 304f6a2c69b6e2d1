// Files and texts that people hand over, and records as the model reads them.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "crypto/entropy.h"
#include "crypto/hash.h"
#include "entente/v1/records.pb.h"
#include "node/cli/agreement_form.h"
#include "node/cli/csv.h"
#include "node/cli/evidence_register.h"
#include "node/cli/form.h"
#include "node/cli/profile.h"
#include "node/cli/times.h"
#include "node/cli/words.h"
#include "node/model/record.h"
#include "node/relay/relay_store.h"
#include "node/service/card_file.h"
#include "node/service/media_type.h"
#include "node/store/anchor_file.h"
#include "sync/card_book.h"
#include "sync/record_id.h"
#include "tests/fuzz/targets.h"
#include "tests/sync/federation.h"

namespace entente::fuzz {
namespace {

// A folder in memory, so that millions of files cost no disk.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path()) {
    if (std::filesystem::is_directory("/dev/shm")) path_ = "/dev/shm";
    path_ /= "entente-fuzz-" + std::to_string(getpid());
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string Put(const std::string& name, std::string_view bytes) const {
    const std::string path = path_ / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

void OpenAnchor(const Folder& folder, std::string_view bytes) {
  const std::string path = folder.Put("anchor", bytes);
  SeededEntropy entropy(1);
  const auto file = store::AnchorFile::Open(path, entropy);
  if (!file.ok()) return;
  const auto again = store::AnchorFile::Open(path, entropy);
  Promise(again.ok() && (*again)->Load() == (*file)->Load(), "an anchor that changed by itself");
}

std::string AnchorRecordBytes(const sync::AnchorRecord& record) {
  std::string out = record.log.str();
  AppendU32(&out, record.incarnation);
  AppendU64(&out, record.size);
  return Cat(out, record.root.view());
}

// The file with a good check behind every record of 76 bytes.
std::string Chained(std::string_view records) {
  std::string out = "entente-anchor-1" + std::string(16, 'r');
  std::string chain = out;
  for (; records.size() >= 76; records.remove_prefix(76)) {
    chain = crypto::H("anchor-file", {chain, records.substr(0, 76)}).str().substr(0, 20);
    out += Cat(records.substr(0, 76), chain);
  }
  return Cat(out, records);
}

std::string SomeRecords() {
  std::string out;
  for (uint64_t i = 1; i < 4; ++i) {
    out += AnchorRecordBytes({*LogId::From(std::string(32, 'L')), 1, i, crypto::Sha256("root")});
  }
  return out;
}

cli::Verb ProposeVerb() {
  cli::Verb verb;
  verb.noun = "agreement";
  verb.verb = "propose";
  verb.flags = cli::AgreementFlags();
  return verb;
}

}  // namespace

Target AnchorTarget() {
  const auto folder = std::make_shared<Folder>();
  return {{Chained(SomeRecords()), Chained("")},
          [folder](std::string_view bytes) { OpenAnchor(*folder, bytes); }};
}

Target AnchorInsideTarget() {
  const auto folder = std::make_shared<Folder>();
  return {{SomeRecords()},
          [folder](std::string_view bytes) { OpenAnchor(*folder, Chained(bytes)); }};
}

Target CardFileTarget() {
  const sync::Federation federation({"XA"});
  const std::string good = const_cast<sync::Federation&>(federation)["XA"].signed_card;
  return {{*service::EncodeCardFile(good), good}, [](std::string_view bytes) {
            const auto card = service::ParseCardFile(bytes);
            if (!card.ok()) return;
            const auto text = service::EncodeCardFile(card->signed_card);
            Promise(text.ok() && service::ParseCardFile(*text)->signed_card == card->signed_card,
                    "a card file that does not come back");
          }};
}

Target FormJsonTarget() {
  return {{R"({"code_name":"LANTERN","bodies":[{"party":"XA"},{"party":"XB","participant":true}],)"
           R"("period_from":"2026-03-01","period_to":"2027-03-01","offences":["a","b"]})",
           R"({"leaders":[{"party":"XA","user":"Ada","function":"prosecutor"}],"x":null})"},
          [](std::string_view bytes) {
            v1::Agreement agreement;
            static_cast<void>(cli::ParseJsonForm(bytes, &agreement));
            v1::Strategy strategy;
            static_cast<void>(cli::ParseJsonForm(bytes, &strategy));
          }};
}

Target FormTextTarget() {
  const auto verb = std::make_shared<cli::Verb>(ProposeVerb());
  return {{"# a form\ncode-name: LANTERN\npurpose: one\n  two\nleader: XA:Ada:prosecutor\n"
           "party: XA\nfrom: 2026-03-01\nto: 2027-03-01\n"},
          [verb](std::string_view bytes) {
            cli::Args args;
            if (!cli::ParseTextForm(*verb, bytes, &args).ok()) return;
            v1::Agreement agreement;
            static_cast<void>(cli::FillAgreement(args, &agreement));
          }};
}

Target ProfileTarget() {
  const auto folder = std::make_shared<Folder>();
  return {{"# Arvenia\naddress=unix:/run/xa.sock\nkey=ada.key\n", "data=xa\nkey=k\n"},
          [folder](std::string_view bytes) {
            folder->Put("XA.profile", bytes);
            const auto target = cli::ResolveTarget("XA", "", [&](const char* name) {
              return std::string_view(name) == "ENTENTE_PROFILES" ? folder->path() : "";
            });
            Promise(!target.ok() || target->address.starts_with("unix:"),
                    "an address that is no local socket");
          }};
}

// An entry of a peer as the record engine sees it: decoded, folded, shown.
Target RecordTarget() {
  std::vector<std::string> seeds;
  v1::Task task;
  task.set_title("Bank data");
  task.set_kind(v1::TASK_KIND_BANK_DATA);
  task.set_to_party(std::string(32, 'b'));
  v1::EntryBody body;
  body.set_kind(model::kTaskKind);
  body.set_agreement(std::string(32, 'v'));
  body.mutable_create()->set_record(task.SerializeAsString());
  const std::string blind_key(32, 'k');
  body.mutable_create()->set_blind_key(blind_key);
  const PartyId a = *PartyId::From(std::string(32, 'a'));
  const auto id_of = [=](uint32_t kind) { return sync::RecordIdOf(JitId(), kind, a, blind_key); };
  body.set_record_id(id_of(model::kTaskKind).str());
  seeds.push_back(body.SerializeAsString());
  body.mutable_transition()->set_to(v1::TASK_STATE_ACCEPTED);
  seeds.push_back(body.SerializeAsString());
  body.mutable_release()->mutable_snapshot()->set_record(task.SerializeAsString());
  body.mutable_release()->mutable_snapshot()->set_blind_key(blind_key);
  body.mutable_release()->mutable_snapshot()->add_events()->set_event("event");
  seeds.push_back(body.SerializeAsString());
  body.mutable_event()->set_event(std::string(20, 'e'));
  seeds.push_back(body.SerializeAsString());
  body.mutable_amend()->add_fields(1);
  seeds.push_back(body.SerializeAsString());
  auto kinds = std::make_shared<model::KindRegistry>();
  auto agreement = std::make_shared<v1::Agreement>();
  agreement->set_period_to(INT64_MAX);
  for (const char party : {'a', 'b'}) {
    agreement->add_bodies()->set_party(std::string(32, party));
  }
  return {seeds, [=](std::string_view bytes) {
            const auto audience = std::make_shared<sync::Members>(sync::Members{a});
            for (const uint32_t kind : {4u, 5u, 3u, 7u, 8u, 2u}) {
              model::Record record(id_of(kind), kind, JitId());
              uint64_t index = 0;
              for (const std::string_view entry : {std::string_view(seeds[0]), bytes}) {
                const Hash leaf = crypto::Sha256(entry);
                record.Add({{LogId(), ++index, leaf}, a, audience, std::string(entry)});
              }
              static_cast<void>(record.Fold(
                  {*kinds, [&](const Hash&) -> const v1::Agreement* { return agreement.get(); }}));
            }
          }};
}

Target RegisterTarget() {
  Target target;
  target.seeds = {
      "title,measure,file,audience\r\n\"Ledger, \"\"black\"\"\",search,a.pdf;b.pdf,XA;XB\r\n",
      "title;obtained_from;kind\nLedger;2026-03-01;financial\n",
      std::string(64, 'a') + "  a.pdf\nSHA256 (b.pdf) = " + std::string(64, 'b') + "\n",
      "%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n## x\n3," + std::string(32, 'c') + "," +
          std::string(64, 'd') + ",/c, d.pdf\n",
      R"({"@graph":[{"@id":"kb:f","@type":"uco-observable:File","uco-core:hasFacet":[{"uco-observable:fileName":"a","uco-observable:hash":[{"uco-types:hashMethod":{"@value":"SHA256"},"uco-types:hashValue":"aa"}]}]},{"@type":"case-investigation:ProvenanceRecord","uco-core:description":"x","uco-core:object":[{"@id":"kb:f"}]}]})"};
  target.run = [](std::string_view bytes) {
    const cli::Parties parties = {{"XA", std::string(32, 'a')}};
    for (const auto& rows :
         {cli::RowsFromCsv(bytes), cli::RowsFromHashes(bytes), cli::RowsFromCaseGraph(bytes)}) {
      if (!rows.ok()) continue;
      for (const cli::RegisterRow& row : *rows) {
        std::vector<cli::RowProblem> problems;
        cli::ItemOf(row, {{"measure", "search"}}, parties, &problems);
        for (const cli::RowProblem& problem : problems) {
          Promise(problem.line == row.line && !problem.what.empty(), "a problem of no row");
        }
      }
    }
    const auto parsed = cli::ParseCsv(bytes);
    if (!parsed.ok()) return;
    for (const cli::CsvRow& row : *parsed) {
      std::string line = cli::CsvLine(row.fields);
      // A first line without a comma may be taken for one of semicolons: two columns settle it.
      const auto again = cli::ParseCsv(Cat("a,b\n", line));
      Promise(again.ok() && again->size() == 2 && (*again)[1].fields.size() == row.fields.size(),
              "a row that does not come back");
    }
  };
  return target;
}

Target RelayTableTarget() {
  relay::Table table;
  table.nodes[PartyId()] = {PartyId(), Hash(), 1};
  table.mailboxes[MailboxId()] = {MailboxId(), PartyId(), Hash(), 20000};
  const std::string good = relay::EncodeTable(table);
  return {{good}, [](std::string_view bytes) {
            const auto read = relay::ParseTable(bytes);
            Promise(!read.ok() || relay::EncodeTable(*read) == bytes, "two spellings of a table");
            // The same lines under a good sum.
            const std::string lines = Cat(bytes.substr(0, bytes.rfind("end ")), "");
            const std::string mended = Cat(lines, "end ", crypto::Sha256(lines).hex(), "\n");
            const auto theirs = relay::ParseTable(mended);
            if (!theirs.ok()) return;
            const std::string text = relay::EncodeTable(*theirs);
            const auto again = relay::ParseTable(text);
            Promise(again.ok() && relay::EncodeTable(*again) == text, "a table that changes");
          }};
}

Target TextTarget() {
  return {{"plain", "pay\xE2\x80\xAEgpj", "Ελλάδα 日本 🙂", "a\x1b[2Jb", "2026-03-01",
           "\x89PNG\r\n\x1a\n"},
          [](std::string_view bytes) {
            const std::string clean = model::CleanForDisplay(bytes);
            Promise(model::CheckText(clean, SIZE_MAX, true).ok(), "cleaned text is not clean");
            const auto raw = Base64Decode(bytes);
            Promise(!raw.ok() || Base64Encode(*raw) == bytes, "two spellings of base64");
            static_cast<void>(Unhex(bytes));
            static_cast<void>(service::SniffMediaType(bytes));
            static_cast<void>(cli::ParseWhen(std::string(bytes), cli::DayMeans::kStart));
            static_cast<void>(cli::SplitPerson(bytes));
          }};
}

}  // namespace entente::fuzz
