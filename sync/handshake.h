// The first frames of a stream: who is there, and proof that it is them now. Protocol §9.2.
//
// TLS has already pinned the peer's key; Hello repeats the claim inside the protocol and signs both
// nonces and both TLS keys with the statement key, so that neither a stolen TLS key alone nor a
// relayed connection gets a session.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "entente/v1/peer.pb.h"
#include "sync/context.h"
#include "sync/link.h"

namespace entente::sync {

// Draws this side's nonce and returns the Hello to send.
v1::Frame MakeHello(Context& context, Link& link);

// Checks the peer's Hello and returns the proof to send back. A successor of the trusted card is
// taken over: the party root that a person compared has signed it.
absl::StatusOr<v1::Frame> AnswerHello(Context& context, Link& link, const v1::Hello& hello,
                                      bool* card_changed);

// Checks the peer's proof; the link is ready when it holds.
absl::Status CheckProof(const Context& context, const Link& link, const v1::HelloProof& proof);

}  // namespace entente::sync
