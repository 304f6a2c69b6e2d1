#include "node/cli/erasure_text.h"

#include "absl/strings/str_join.h"
#include "crypto/bytes.h"
#include "node/cli/show.h"
#include "node/cli/table.h"
#include "node/cli/text.h"
#include "node/cli/times.h"
#include "node/cli/words.h"

namespace entente::cli {
namespace {

std::string Counted(uint64_t count, std::string_view one, std::string_view many) {
  return Cat(std::to_string(count), " ", count == 1 ? one : many);
}

std::string Answers(const v1::ErasureView& erasure) {
  Table table({"BODY", "STATE", "WHEN", "DESTROYED", "LAST BACKUP GONE BY"});
  for (const v1::ErasureAnswer& answer : erasure.bodies()) {
    const bool confirmed = answer.state() == "confirmed";
    table.Add({answer.body(), answer.state(), confirmed ? FormatTime(answer.time()) : "",
               confirmed ? Cat(Counted(answer.entries(), "entry", "entries"), ", ",
                               Counted(answer.files(), "file", "files"))
                         : "",
               confirmed ? FormatDay(answer.backups_expire(), DayMeans::kStart) : ""});
  }
  return table.Render();
}

}  // namespace

std::string ErasurePreviewText(const v1::ErasurePreview& preview) {
  Facts facts;
  facts.Add("Item", Cat(preview.ref(), "  ", preview.title()));
  facts.Add("Destroyed", Cat(Counted(preview.entries(), "entry", "entries"), ", ",
                             Counted(preview.files(), "file", "files"), " (",
                             HumanBytes(preview.file_bytes()), ")"));
  facts.Add("At", JoinCodes(preview.bodies()));
  if (!preview.derived().empty()) {
    facts.Add("Made from it, and stays", absl::StrJoin(preview.derived(), ", "));
  }
  std::string out = facts.Render();
  if (preview.copies().empty()) return out;
  Table table({"WHEN", "BODY", "PERSON", "WHAT", "PURPOSE"});
  for (const v1::CustodyView& copy : preview.copies()) {
    table.Add({FormatTime(copy.time()), copy.body(), copy.actor(), StateWord(copy.kind()),
               copy.purpose()});
  }
  return Cat(out, "\nCopies outside of Entente, which this does not reach\n", table.Render());
}

std::string OtherHolders(const v1::RecordView& record) {
  std::string out;
  for (const v1::ErasureAnswer& answer : record.erasure().bodies()) {
    if (answer.body() != record.owner()) out += Cat(out.empty() ? "" : ", ", answer.body());
  }
  return out.empty() ? "no other body" : out;
}

std::string ErasureTable(const v1::RecordView& record) {
  return record.has_erasure() ? Cat("\nErasure\n", Answers(record.erasure())) : "";
}

std::string CertificateText(const v1::RecordView& record, absl::Time now) {
  const v1::ErasureView& erasure = record.erasure();
  Facts facts;
  facts.Add("Item", record.ref());
  facts.Add("Record", record.id());
  facts.Add("Owner", record.owner());
  facts.Add("Ordered", FormatTime(erasure.time()));
  facts.Add("By", erasure.actor());
  facts.Add("Reason", erasure.basis());
  facts.Add("State of", FormatTime(absl::ToUnixSeconds(now)));
  facts.Add("Complete", erasure.complete() ? "yes: every body has confirmed"
                                           : "no: not every body has confirmed");
  return Cat("Certificate of erasure\n\n", facts.Render(), "\n", Answers(erasure),
             "\n"
             "confirmed    the body has signed that text, files and keys are destroyed and that "
             "its\n             disks were cleared of them\n"
             "notified     the order is there, and not answered yet\n"
             "not reached  nothing is known to have come to it\n"
             "\n"
             "What is proven is who signed this, and when; that no copy exists anywhere cannot "
             "be proven.\nBackups made before are encrypted and are overwritten by the day "
             "named.\n");
}

}  // namespace entente::cli
