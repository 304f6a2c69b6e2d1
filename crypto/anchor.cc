#include "crypto/anchor.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

#include "crypto/check.h"
#include "crypto/hash.h"

namespace entente::crypto {
namespace {

// What stands at one place of an anchor, for one use.
Hash Draw(const Secret32& secret, std::string_view use, uint32_t place) {
  std::string number;
  AppendU32(&number, place);
  return *Hash::From(K(secret, "anchor", {use, number}).view());
}

}  // namespace

Hash AnchorLeaf(std::string_view salt, const AnchoredHead& head) {
  std::string size;
  AppendU64(&size, head.size);
  return Sha256({std::string_view("\0", 1), salt, head.log.view(), size, head.root.view()});
}

AnchorTree::Layout AnchorTree::LayOut(const Secret32& secret,
                                      const std::vector<AnchoredHead>& heads) {
  ENTENTE_CHECK(heads.size() <= kAnchorLeavesMax);
  const uint32_t count =
      std::max(kAnchorLeavesMin, std::bit_ceil(static_cast<uint32_t>(heads.size())));
  // Places in an order that the secret shuffles: an opened place says nothing of how many are used.
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::vector<Hash> rank;
  for (uint32_t place = 0; place < count; ++place) rank.push_back(Draw(secret, "place", place));
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return rank[a] < rank[b]; });
  Layout out;
  for (uint32_t place = 0; place < count; ++place) {
    out.leaves.push_back(Draw(secret, "blank", place));
  }
  for (size_t i = 0; i < heads.size(); ++i) {
    const uint32_t place = order[i];
    std::string salt = Draw(secret, "salt", place).str().substr(0, kAnchorSaltBytes);
    out.leaves[place] = AnchorLeaf(salt, heads[i]);
    out.places.push_back(place);
    out.salts.push_back(std::move(salt));
  }
  return out;
}

AnchorTree::AnchorTree(const Secret32& secret, const std::vector<AnchoredHead>& heads)
    : AnchorTree(LayOut(secret, heads)) {}

AnchorTree::AnchorTree(Layout layout)
    : places_(std::move(layout.places)),
      salts_(std::move(layout.salts)),
      tree_(std::move(layout.leaves)) {}

absl::StatusOr<AnchorOpening> AnchorTree::Open(size_t number) const {
  if (number >= places_.size()) return absl::NotFoundError("no such head in this anchor");
  absl::StatusOr<std::vector<Hash>> path = InclusionProof(tree_, places_[number], leaves());
  if (!path.ok()) return path.status();
  return AnchorOpening{places_[number], salts_[number], *std::move(path)};
}

absl::Status VerifyAnchor(const Hash& root, uint32_t leaves, const AnchoredHead& head,
                          const AnchorOpening& opening) {
  if (leaves < kAnchorLeavesMin || leaves > kAnchorLeavesMax || !std::has_single_bit(leaves) ||
      opening.salt.size() != kAnchorSaltBytes || opening.position >= leaves) {
    return absl::InvalidArgumentError("an opening that no anchor has");
  }
  const Hash leaf = AnchorLeaf(opening.salt, head);
  if (!VerifyInclusion(leaf, opening.position, leaves, opening.path, root).ok()) {
    return absl::UnauthenticatedError("an anchor that does not hold what its opening says");
  }
  return absl::OkStatus();
}

}  // namespace entente::crypto
