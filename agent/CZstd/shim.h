#ifndef BELAY_CZSTD_SHIM_H
#define BELAY_CZSTD_SHIM_H
#include <zstd.h>
#endif
