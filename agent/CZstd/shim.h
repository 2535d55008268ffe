#ifndef BELAY_CZSTD_SHIM_H
#define BELAY_CZSTD_SHIM_H
#include <zstd.h>
// Swift's Glibc module leaves these out.
#include <sys/xattr.h>
#endif
