#ifndef BELAY_CLIBYAML_SHIM_H
#define BELAY_CLIBYAML_SHIM_H
#include <yaml.h>
#endif
