// Functions of glibc that its headers show only under _GNU_SOURCE, which Swift's Glibc module does
// not define. The prototypes are those of glibc 2.36 (spawn.h, unistd.h, stdio.h).
#ifndef BELAY_LINUX_CALLS_H
#define BELAY_LINUX_CALLS_H

#include <sys/timex.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>

// After glibc's own, so that timespec and stat stay those of Swift's Glibc module.
#include <linux/stat.h>
#include <stdint.h>
#include <sys/sysmacros.h>

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

int statx(int folder, const char *name, int flags, unsigned mask, struct statx *found);
int sync_file_range(int file, off_t offset, off_t count, unsigned flags);

// What statx tells of a file, as far as it is used here; devices as st_dev has them.
struct belay_status {
    uint64_t device, inode, size, blocks, special, attributes;
    int64_t modified_seconds, changed_seconds;
    uint32_t modified_nanoseconds, changed_nanoseconds;
    uint32_t mode, owner, group, links;
};

// The last name is not followed; an empty one stands for the open file itself.
static inline int belay_look(int folder, const char *name, struct belay_status *found) {
    struct statx all;
    // AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH of linux/fcntl.h.
    int done = statx(folder, name, 0x100 | 0x1000, STATX_BASIC_STATS, &all);
    if (done != 0) return done;
    found->device = makedev(all.stx_dev_major, all.stx_dev_minor);
    found->inode = all.stx_ino;
    found->size = all.stx_size;
    found->blocks = all.stx_blocks;
    found->special = makedev(all.stx_rdev_major, all.stx_rdev_minor);
    found->attributes = all.stx_attributes & all.stx_attributes_mask;
    found->modified_seconds = all.stx_mtime.tv_sec;
    found->modified_nanoseconds = all.stx_mtime.tv_nsec;
    found->changed_seconds = all.stx_ctime.tv_sec;
    found->changed_nanoseconds = all.stx_ctime.tv_nsec;
    found->mode = all.stx_mode;
    found->owner = all.stx_uid;
    found->group = all.stx_gid;
    found->links = all.stx_nlink;
    return 0;
}

// Microseconds that the kernel's clock can be off; -1 if nothing disciplines it (adjtimex(2)).
static inline long long belay_clock_error(void) {
    struct timex clock = {0};
    int state = adjtimex(&clock);
    return state < 0 || state == TIME_ERROR || (clock.status & STA_UNSYNC) ? -1 : clock.maxerror;
}

#endif
