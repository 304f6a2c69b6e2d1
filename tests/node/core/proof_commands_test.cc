// That a record existed on a day is proven to every body of the JIT, without showing the record.
#include <string>

#include "entente/v1/entry.pb.h"
#include "tests/node/core/core_test.h"

namespace entente::core {
namespace {

class ProofCommandsTest : public CoreTest {
 protected:
  std::string Note(const std::vector<std::string>& audience) {
    const auto added = CoreTest::Note("XA", "seen at the harbour", audience);
    EXPECT_OK(added);
    return *added;
  }
  absl::StatusOr<v1::ProveExistenceResponse> Prove(const std::string& code, const std::string& ref,
                                                   absl::Time by = absl::UnixEpoch()) {
    v1::ProveExistenceRequest request;
    request.set_record(ref);
    request.set_by(absl::ToUnixSeconds(by));
    return Call<v1::ProveExistenceResponse>(code, "RecordService/ProveExistence", request);
  }
  absl::StatusOr<v1::CheckExistenceResponse> Check(const std::string& code,
                                                   const std::string& proof) {
    v1::CheckExistenceRequest request;
    request.set_proof(proof);
    return Call<v1::CheckExistenceResponse>(code, "RecordService/CheckExistence", request);
  }
  void NextDay() { world_.RunFor(absl::Hours(25)); }
};

TEST_F(ProofCommandsTest, ABodyThatCannotReadTheRecordChecksItsDate) {
  const std::string ref = Note({"XB"});
  const absl::Time written = world_.now();
  EXPECT_REFUSED(Prove("XA", ref).status(), kFailedPrecondition, "NOT_YET");
  NextDay();
  const auto proof = Prove("XA", ref);
  ASSERT_OK(proof);
  EXPECT_GT(proof->time(), absl::ToUnixSeconds(written));
  const auto outside = Check("XC", proof->proof());
  ASSERT_OK(outside);
  EXPECT_EQ(outside->author(), "XA");
  EXPECT_EQ(outside->time(), proof->time());
  EXPECT_GE(outside->received(), proof->time());
  EXPECT_EQ(outside->record(), "");
  const auto reader = Check("XB", proof->proof());
  ASSERT_OK(reader);
  EXPECT_EQ(reader->record(), ref);
  EXPECT_EQ(reader->what(), "created");
}

TEST_F(ProofCommandsTest, ADayThatIsTooEarlyIsNotProven) {
  const absl::Time before = world_.now();
  NextDay();
  const std::string ref = Note({"XB"});
  NextDay();
  EXPECT_REFUSED(Prove("XA", ref, before + absl::Hours(1)).status(), kFailedPrecondition,
                 "NOT_PROVABLE");
  EXPECT_OK(Prove("XA", ref, world_.now()));
}

TEST_F(ProofCommandsTest, AProofThatWasAlteredRaisesTheAlarm) {
  const std::string ref = Note({"XB"});
  NextDay();
  v1::ExistenceProof altered;
  ASSERT_TRUE(altered.ParseFromString(Prove("XA", ref)->proof()));
  altered.set_size(altered.size() + 1);
  EXPECT_REFUSED(Check("XC", altered.SerializeAsString()).status(), kDataLoss,
                 "PROOF_DOES_NOT_HOLD");
  EXPECT_REFUSED(Check("XC", "no proof").status(), kInvalidArgument, "NOT_A_PROOF");
}

TEST_F(ProofCommandsTest, OnlyWhoWroteOnARecordProvesItsDate) {
  const std::string ref = Note({"XB"});
  NextDay();
  EXPECT_REFUSED(Prove("XB", ref).status(), kPermissionDenied, "NOT_AUTHOR");
  EXPECT_REFUSED(Prove("XC", ref).status(), kNotFound, "NOT_HERE");
}

}  // namespace
}  // namespace entente::core
