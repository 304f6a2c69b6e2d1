// Registers of other systems become items, row by row; what is wrong is named by row and column.
#include "node/cli/evidence_register.h"

#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::cli {
namespace {

const Parties kParties = {{"XA", std::string(32, 'a')}, {"XB", std::string(32, 'b')}};
const std::string kSha256(64, 'a');

std::vector<RowProblem> ProblemsOf(const std::string& csv,
                                   const std::map<std::string, std::string>& defaults = {}) {
  std::vector<RowProblem> out;
  const auto rows = RowsFromCsv(csv);
  EXPECT_OK(rows);
  if (!rows.ok()) return out;
  for (const RegisterRow& row : *rows) ItemOf(row, defaults, kParties, &out);
  return out;
}

TEST(EvidenceRegisterTest, ARowBecomesAnItemWithAllItsFields) {
  const auto rows = RowsFromCsv(
      "Title,kind,measure,exhibit,National_ref,origin,obtained from,obtained-to,handling,audience,"
      "parent,file\n"
      "Ledger,financial,house search,LS/4,12 Js 7,XB,2026-03-01,2026-03-02,H1,\"XA, XB\",E-7K3M9Q,"
      "scan.pdf\n");
  ASSERT_OK(rows);
  ASSERT_EQ(rows->size(), 1u);
  std::vector<RowProblem> problems;
  const v1::AddEvidenceRequest request = ItemOf((*rows)[0], {}, kParties, &problems);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(request.item().title(), "Ledger");
  EXPECT_EQ(request.item().kind(), v1::EVIDENCE_KIND_FINANCIAL);
  EXPECT_EQ(request.item().exhibit_no(), "LS/4");
  EXPECT_EQ(request.item().national_ref(), "12 Js 7");
  EXPECT_EQ(request.item().origin_party(), std::string(32, 'b'));
  EXPECT_EQ(request.item().handling(), v1::HANDLING_CODE_H1);
  EXPECT_EQ(request.item().obtained_to() - request.item().obtained_from(), 2 * 86'400);
  ASSERT_EQ(request.audience_size(), 2);
  EXPECT_EQ(request.audience(1), "XB");
  ASSERT_EQ(request.parents_size(), 1);
}

TEST(EvidenceRegisterTest, EmptyCellsTakeWhatTheCommandSays) {
  const auto rows = RowsFromCsv("file,measure\na/b/scan.pdf,\nc.pdf,covert purchase\n");
  ASSERT_OK(rows);
  std::vector<RowProblem> problems;
  const std::map<std::string, std::string> defaults = {{"measure", "search"}, {"audience", "XB"}};
  EXPECT_EQ(ItemOf((*rows)[0], defaults, kParties, &problems).item().measure(), "search");
  EXPECT_EQ(ItemOf((*rows)[0], defaults, kParties, &problems).item().title(), "scan.pdf");
  EXPECT_EQ(ItemOf((*rows)[1], defaults, kParties, &problems).item().measure(), "covert purchase");
  EXPECT_EQ(ItemOf((*rows)[1], defaults, kParties, &problems).audience(0), "XB");
  EXPECT_TRUE(problems.empty());
}

TEST(EvidenceRegisterTest, EverythingThatIsWrongWithARowIsNamed) {
  const std::vector<RowProblem> problems = ProblemsOf(
      "title,measure,kind,obtained-from,origin,audience,handling,file,sha256\n"
      "ok,search,document,2026-03-01,XA,XA;XB,H0,,\n"
      ",,poem,13.3.2026,XZ,XA;XQ,H9,a.pdf;b.pdf,1234\n");
  std::set<std::string> columns;
  for (const RowProblem& problem : problems) {
    EXPECT_EQ(problem.line, 3u);
    EXPECT_FALSE(problem.what.empty());
    columns.insert(problem.column);
  }
  EXPECT_EQ(columns, (std::set<std::string>{"measure", "kind", "obtained-from", "origin",
                                            "audience", "handling", "sha256"}));
}

TEST(EvidenceRegisterTest, ARegisterThatIsNoneIsRefusedAsAWhole) {
  EXPECT_REFUSED(RowsFromCsv(""), kInvalidArgument, "empty");
  EXPECT_REFUSED(RowsFromCsv("title,colour\na,b\n"), kInvalidArgument, "colour");
  EXPECT_REFUSED(RowsFromCsv("title,title\na,b\n"), kInvalidArgument, "twice");
  EXPECT_REFUSED(RowsFromCsv("title,note\na,b,c\n"), kInvalidArgument, "line 2");
}

TEST(EvidenceRegisterTest, ListsOfHashesComeInFourForms) {
  const std::string b(64, 'b');
  const std::string long_hash(128, 'c');
  const auto rows =
      RowsFromHashes(kSha256 + "  one file.pdf\n" + b + " *two.bin\r\n\n# a note\n" +
                     "SHA256 (three (3).pdf) = " + kSha256 + "\n" + long_hash + "  four\n");
  ASSERT_OK(rows);
  ASSERT_EQ(rows->size(), 4u);
  EXPECT_EQ((*rows)[0].cells.at("file"), "one file.pdf");
  EXPECT_EQ((*rows)[0].cells.at("sha256"), kSha256);
  EXPECT_EQ((*rows)[1].cells.at("file"), "two.bin");
  EXPECT_EQ((*rows)[2].cells.at("file"), "three (3).pdf");
  EXPECT_EQ((*rows)[2].line, 5u);
  EXPECT_EQ((*rows)[3].cells.at("sha512"), long_hash);
  const auto deep = RowsFromHashes("%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n## x\n12," +
                                   std::string(32, 'd') + "," + kSha256 + ",/a, b/c.pdf\n");
  ASSERT_OK(deep);
  ASSERT_EQ(deep->size(), 1u);
  EXPECT_EQ((*deep)[0].cells.at("file"), "/a, b/c.pdf");
  EXPECT_EQ((*deep)[0].cells.at("sha256"), kSha256);
  EXPECT_REFUSED(RowsFromHashes("hello\n"), kInvalidArgument, "line 1");
  EXPECT_REFUSED(RowsFromHashes(kSha256 + "  a;b\n"), kInvalidArgument, "semicolon");
}

TEST(EvidenceRegisterTest, AGraphGivesItsProvenanceRecordsAndTheFilesThatBelongToNone) {
  const auto rows = RowsFromCaseGraph(R"({"@context":{},"@graph":[
    {"@id":"kb:f1","@type":["uco-observable:File"],"uco-core:hasFacet":[
      {"@type":"uco-observable:FileFacet","uco-observable:fileName":"ledger.pdf"},
      {"@type":"uco-observable:ContentDataFacet","uco-observable:hash":[{
        "uco-types:hashMethod":{"@type":"x","@value":"SHA256"},
        "uco-types:hashValue":{"@type":"xsd:hexBinary","@value":"AB"}}]}]},
    {"@id":"kb:f2","@type":"https://ontology.unifiedcyberontology.org/uco/observable/File",
     "uco-core:hasFacet":{"uco-observable:filePath":"x/photo.jpg"}},
    {"@id":"kb:p","@type":"case-investigation:ProvenanceRecord",
     "uco-core:description":"Ledger of Lime Street","case-investigation:exhibitNumber":"LS/4",
     "uco-core:object":[{"@id":"kb:f1"},{"@id":"kb:unknown"}]}]})");
  ASSERT_OK(rows);
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[0].cells.at("title"), "Ledger of Lime Street");
  EXPECT_EQ((*rows)[0].cells.at("exhibit"), "LS/4");
  EXPECT_EQ((*rows)[0].cells.at("file"), "ledger.pdf");
  EXPECT_EQ((*rows)[0].cells.at("sha256"), "ab");
  EXPECT_EQ((*rows)[1].cells.at("file"), "x/photo.jpg");
  for (const char* bad :
       {"", "[]", "{}", R"({"@graph":{}})", R"({"@graph":[]})", "{\"@graph\":["}) {
    EXPECT_REFUSED(RowsFromCaseGraph(bad), kInvalidArgument, "BAD_GRAPH") << bad;
  }
}

}  // namespace
}  // namespace entente::cli
