// Everything of a bundle that follows from its proof and its signature, by path: whoever makes one
// writes these files, whoever verifies one compares them byte for byte. Only the evidence itself
// and the manifests are missing, and those follow from the files.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "node/bundle/opened_bundle.h"
#include "node/bundle/report.h"

namespace entente::bundle {

// `timestamp`: that of an authority over the signature, or empty.
std::map<std::string, std::string> Contents(const OpenedBundle& bundle, std::string_view proof,
                                            std::string_view signature,
                                            std::string_view timestamp = "");

// The heads of the logs as signed notes (C2SP), for verifiers that are not ours.
std::string HeadPath(const LogId& log);

}  // namespace entente::bundle
