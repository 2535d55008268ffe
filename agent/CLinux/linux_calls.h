// Functions of glibc that its headers show only under _GNU_SOURCE, which Swift's Glibc module does
// not define. The prototypes are those of glibc 2.36 (spawn.h, unistd.h, stdio.h).
#ifndef BELAY_LINUX_CALLS_H
#define BELAY_LINUX_CALLS_H

#include <spawn.h>
#include <sys/types.h>

int pipe2(int ends[2], int flags);
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
int syncfs(int file);
int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags);

// From linux/fs.h.
static const unsigned belay_rename_exchange = 2;

#endif
