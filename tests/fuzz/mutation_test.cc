// Good inputs, altered many thousand times in the ways that break parsers: flipped, cut, doubled,
// spliced, with extreme numbers. The same on every run; coverage-guided fuzzing is libfuzzer.cc.
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/fuzz/targets.h"

namespace entente::fuzz {
namespace {

class Mutator {
 public:
  explicit Mutator(uint32_t seed) : dice_(seed) {}

  std::string Mutate(const std::vector<std::string>& seeds) {
    std::string out = seeds[dice_() % seeds.size()];
    const int rounds = 1 + static_cast<int>(dice_() % 4);
    for (int i = 0; i < rounds; ++i) Once(out, seeds[dice_() % seeds.size()]);
    return out;
  }

 private:
  size_t At(const std::string& text) { return text.empty() ? 0 : dice_() % text.size(); }

  void Once(std::string& text, const std::string& other) {
    static constexpr char kExtremes[] = {'\x00', '\x7F', '\x80', '\xFF', '\x01'};
    switch (dice_() % 7) {
      case 0:
        if (!text.empty()) text[At(text)] ^= static_cast<char>(1 << (dice_() % 8));
        break;
      case 1:
        text.resize(At(text));
        break;
      case 2:
        text.insert(At(text), text.substr(At(text), dice_() % 40));
        break;
      case 3:
        text.erase(At(text), dice_() % 20);
        break;
      case 4:
        text = text.substr(0, At(text)) + other.substr(At(other));
        break;
      case 5:
        for (size_t i = At(text), n = dice_() % 9; i < text.size() && n > 0; ++i, --n) {
          text[i] = kExtremes[dice_() % sizeof(kExtremes)];
        }
        break;
      default:
        text.insert(At(text), std::string(dice_() % 300, kExtremes[dice_() % sizeof(kExtremes)]));
    }
  }

  std::mt19937 dice_;
};

// Sanitizers cost a factor of ten to twenty; what they need is reached with fewer inputs.
int Mutations(const TargetInfo& target) {
  return ENTENTE_FUZZ_SANITIZED ? target.mutations / 20 : target.mutations;
}

class FuzzTest : public testing::TestWithParam<std::string> {};

TEST_P(FuzzTest, SurvivesWhateverArrives) {
  const TargetInfo& info = FindTarget(GetParam());
  const Target target = info.make();
  ASSERT_FALSE(target.seeds.empty());
  for (const std::string& seed : target.seeds) target.run(seed);
  target.run("");
  Mutator mutator(1);
  const int mutations = Mutations(info);
  for (int i = 0; i < mutations; ++i) target.run(mutator.Mutate(target.seeds));
}

std::vector<std::string> Names() {
  std::vector<std::string> out;
  for (const TargetInfo& target : AllTargets()) out.emplace_back(target.name);
  return out;
}

INSTANTIATE_TEST_SUITE_P(Fuzz, FuzzTest, testing::ValuesIn(Names()),
                         [](const auto& target) { return target.param; });

TEST(FuzzBudgetTest, EveryRunMakesAMillionAndAHalfExecutions) {
  int total = 0;
  for (const TargetInfo& target : AllTargets()) total += target.mutations;
  EXPECT_GE(total, 1'500'000);
}

}  // namespace
}  // namespace entente::fuzz
