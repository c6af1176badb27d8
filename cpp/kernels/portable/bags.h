// What is checked of bags of rows before they are read.
#pragma once
#include "kernels/pool/bags.h"

namespace gradcore::portable {

void check_bags(const BagsArgs& a);  // refuses an index outside of the table, and bounds that decrease or end outside

}  // namespace gradcore::portable
