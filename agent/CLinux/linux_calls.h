// Functions of glibc that its headers show only under _GNU_SOURCE, which Swift's Glibc module does
// not define. The prototypes are those of glibc 2.36 (spawn.h, unistd.h, stdio.h).
#ifndef BELAY_LINUX_CALLS_H
#define BELAY_LINUX_CALLS_H

#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>

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

// ioprio_set(IOPRIO_WHO_PROCESS, the calling thread, IOPRIO_CLASS_IDLE): glibc has no wrapper.
static inline int belay_io_idle(void) { return (int)syscall(SYS_ioprio_set, 1, 0, 3 << 13); }
// Of the calling thread alone: on Linux a priority belongs to a thread.
static inline int belay_nice_idle(void) { return setpriority(PRIO_PROCESS, 0, 19); }

// Swift sees the structure of this name, not the function.
int flock(int file, int operation);
static inline int belay_flock(int file, int operation) { return flock(file, operation); }

#endif
