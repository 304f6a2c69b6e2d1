// Assertions on absl::Status and StatusOr: ASSERT_OK, EXPECT_OK and EXPECT_REFUSED.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/bytes.h"
#include "gtest/gtest.h"

namespace entente::testing_support {

inline absl::Status StatusOf(const absl::Status& status) { return status; }
template <class T>
absl::Status StatusOf(const absl::StatusOr<T>& value) {
  return value.status();
}

inline testing::AssertionResult IsOk(const absl::Status& status) {
  if (status.ok()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << status.ToString();
}

// Refused with `code`, in words that contain `words`.
inline testing::AssertionResult IsRefused(const absl::Status& status, absl::StatusCode code,
                                          std::string_view words) {
  if (status.code() == code && ToStd(status.message()).find(words) != std::string_view::npos) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure()
         << status.ToString() << "; expected " << absl::StatusCodeToString(code) << " with \""
         << words << "\"";
}

}  // namespace entente::testing_support

#define ASSERT_OK(expr) \
  ASSERT_TRUE(::entente::testing_support::IsOk(::entente::testing_support::StatusOf(expr)))
#define EXPECT_OK(expr) \
  EXPECT_TRUE(::entente::testing_support::IsOk(::entente::testing_support::StatusOf(expr)))
#define EXPECT_REFUSED(expr, code, words)                                                       \
  EXPECT_TRUE(::entente::testing_support::IsRefused(::entente::testing_support::StatusOf(expr), \
                                                    absl::StatusCode::code, words))
