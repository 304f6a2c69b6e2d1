// The provenance of the items as a graph in the CASE ontology (Cyber-investigation Analysis
// Standard Expression, on UCO; caseontology.org) as JSON-LD: what national systems and EVIDENCE2
// e-CODEX exchange. A pure function of the proof, as the report.
#pragma once

#include <string>

#include "node/bundle/opened_bundle.h"

namespace entente::bundle {

std::string CaseGraph(const OpenedBundle& bundle);

}  // namespace entente::bundle
