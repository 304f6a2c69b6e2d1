// A strategy has a financial strand or a reason, lines of enquiry, and everybody's signature.
#include <string>

#include "tests/node/core/core_test.h"

namespace entente::core {
namespace {

class StrategyCommandsTest : public CoreTest {
 protected:
  absl::StatusOr<v1::DraftStrategyResponse> Draft(const std::string& financial,
                                                  const std::string& reason = "") {
    v1::DraftStrategyRequest request;
    request.mutable_strategy()->set_title("Follow the money and the vans");
    request.mutable_strategy()->set_objectives("Dismantle the network");
    request.mutable_strategy()->set_financial_strand(financial);
    request.mutable_strategy()->set_no_financial_strand_reason(reason);
    return Call<v1::DraftStrategyResponse>("XA", "StrategyService/DraftStrategy", request);
  }
  absl::Status Propose(const std::string& draft) {
    v1::ProposeStrategyRequest request;
    request.set_draft(draft);
    return Call<v1::ProposeStrategyResponse>("XA", "StrategyService/ProposeStrategy", request)
        .status();
  }
};

TEST_F(StrategyCommandsTest, WithoutAFinancialStrandOrAReasonItCannotBeProposed) {
  const auto draft = Draft("");
  ASSERT_OK(draft);
  const absl::Status refused = Propose(draft->ref());
  EXPECT_FALSE(refused.ok());
  EXPECT_NE(ToStd(refused.message()).find("financial"), std::string_view::npos) << refused;
  const auto with_reason = Draft("", "no assets are known yet");
  ASSERT_OK(with_reason);
  EXPECT_OK(Propose(with_reason->ref()));
}

TEST_F(StrategyCommandsTest, ADraftIsOnesOwnAndAProposalIsEverybodys) {
  const auto draft = Draft("Freeze the accounts of Lime Ltd");
  ASSERT_OK(draft);
  Settle();
  const auto strategies = [&](const char* code) {
    const auto shown = Call<v1::ShowStrategyResponse>(code, "StrategyService/ShowStrategy",
                                                      v1::ShowStrategyRequest());
    EXPECT_OK(shown);
    return shown.ok() ? shown->strategies_size() : -1;
  };
  EXPECT_EQ(strategies("XB"), 0);
  ASSERT_OK(Propose(draft->ref()));
  Settle();
  EXPECT_EQ(strategies("XB"), 1);
  for (const char* code : {"XA", "XB", "XC"}) {
    EXPECT_OK(Call<v1::SignStrategyResponse>(code, "StrategyService/SignStrategy",
                                             v1::SignStrategyRequest()))
        << code;
    Settle();
  }
  const auto agreed = Call<v1::ShowStrategyResponse>("XC", "StrategyService/ShowStrategy",
                                                     v1::ShowStrategyRequest());
  ASSERT_OK(agreed);
  EXPECT_EQ(agreed->strategies(0).version(), 1u);
  for (const v1::SignerState& signer : agreed->strategies(0).signers()) {
    EXPECT_EQ(signer.state(), "CONFIRMED") << signer.code();
  }
}

TEST_F(StrategyCommandsTest, ALineOfEnquiryHasALeadAndReachesItsAudience) {
  v1::AddLineRequest request;
  request.mutable_line()->set_code("FIN-1");
  request.mutable_line()->set_title("Lime Ltd");
  request.mutable_line()->set_kind(v1::LINE_KIND_FINANCIAL);
  request.set_lead("XB");
  request.add_audience("XB");
  const auto line = Call<v1::AddLineResponse>("XA", "StrategyService/AddLine", request);
  ASSERT_OK(line);
  Settle();
  const auto lines = [&](const char* code) {
    return Call<v1::ListLinesResponse>(code, "StrategyService/ListLines", v1::ListLinesRequest())
        ->records_size();
  };
  EXPECT_EQ(lines("XB"), 1);
  EXPECT_EQ(lines("XC"), 0);
  request.set_lead("XQ");
  EXPECT_FALSE(Call<v1::AddLineResponse>("XA", "StrategyService/AddLine", request).ok());
}

}  // namespace
}  // namespace entente::core
