// Every update rule, in the order of the kernel table.
#pragma once
#include "formulas/optim/adadelta.h"
#include "formulas/optim/adagrad.h"
#include "formulas/optim/adam.h"
#include "formulas/optim/adamax.h"
#include "formulas/optim/asgd.h"
#include "formulas/optim/nadam.h"
#include "formulas/optim/radam.h"
#include "formulas/optim/rmsprop.h"
#include "formulas/optim/rprop.h"
#include "formulas/optim/sgd.h"

namespace gradcore::formulas {

// An optimizer's name and its rule.
#define GC_UPDATE_RULES(X)  \
  X(Adadelta, AdadeltaRule) \
  X(Adagrad, AdagradRule)   \
  X(Adam, AdamRule)         \
  X(Adamax, AdamaxRule)     \
  X(ASGD, AsgdRule) X(NAdam, NadamRule) X(RAdam, RadamRule) X(RMSprop, RmspropRule) X(Rprop, RpropRule) X(SGD, SgdRule)

using UpdateRules =
    TypeList<AdadeltaRule<Hyperparameter>, AdagradRule<Hyperparameter>, AdamRule<Hyperparameter>,
             AdamaxRule<Hyperparameter>, AsgdRule<Hyperparameter>, NadamRule<Hyperparameter>, RadamRule<Hyperparameter>,
             RmspropRule<Hyperparameter>, RpropRule<Hyperparameter>, SgdRule<Hyperparameter>>;

}  // namespace gradcore::formulas
