// A report as one HTML page without scripts, images or references to anything outside it. Text from
// bodies is text: markup in it is shown, never obeyed.
#pragma once

#include <string>

#include "node/bundle/report.h"

namespace entente::bundle {

std::string RenderHtml(const Report& report);

}  // namespace entente::bundle
