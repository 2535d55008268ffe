// Functions of glibc that its headers show only under _GNU_SOURCE, which Swift's Glibc module does
// not define. The prototypes are those of glibc 2.36 (spawn.h, unistd.h, stdio.h).
#ifndef BELAY_LINUX_CALLS_H
#define BELAY_LINUX_CALLS_H

#include <spawn.h>
#include <sys/types.h>
#include <sys/xattr.h>

int pipe2(int ends[2], int flags);
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
int syncfs(int file);
ssize_t getdents64(int folder, void *room, size_t count);
int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags);

// From linux/fs.h.
static const unsigned belay_rename_exchange = 2;
// _IOW(0x94, 9, int).
static const unsigned long belay_ficlone = 0x40049409;

// Swift sees the structure of this name, not the function.
int flock(int file, int operation);
static inline int belay_flock(int file, int operation) { return flock(file, operation); }

#endif
