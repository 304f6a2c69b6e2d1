// The formats are final: what is sealed, signed and derived today is what was written down.
#include "tests/vectors/vectors.h"

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "gtest/gtest.h"

namespace entente {
namespace {

TEST(VectorsTest, EveryFormatGivesTheBytesThatWereWrittenDown) {
  std::ifstream in(ENTENTE_VECTORS_FILE);
  ASSERT_TRUE(in.good());
  const std::string kept{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  std::istringstream expected(kept), computed(FormatVectors(ComputeVectors()));
  std::string a, b;
  while (std::getline(expected, a)) {
    ASSERT_TRUE(std::getline(computed, b)) << "missing: " << a.substr(0, a.find(' '));
    EXPECT_EQ(a, b);
  }
  EXPECT_FALSE(std::getline(computed, b)) << "not written down: " << b;
}

}  // namespace
}  // namespace entente
