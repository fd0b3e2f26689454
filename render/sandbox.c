/* SPDX-License-Identifier: BSD-2-Clause */
/* sandbox - see sandbox.h */

#include "render/sandbox.h"

#include "common/clock.h"
#include "render/memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <seccomp.h>

enum { FILTER_MOST = 64 * 1024, NUMBER_TEXT = 12, PROBE_MS = 10000, PROBE_CPU_S = 5 };

struct sandbox {
    struct buf filter; /* the seccomp program, as bubblewrap takes it */
};

/* the seccomp filter */

/* A converter needs none of these; each has let somebody out of a sandbox, or shows him more than he should see. */
static const int forbidden[] = {
    SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(kcmp), SCMP_SYS(pidfd_getfd),
    SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(move_mount), SCMP_SYS(open_tree),
    SCMP_SYS(fsopen), SCMP_SYS(fsconfig), SCMP_SYS(fsmount), SCMP_SYS(fspick), SCMP_SYS(mount_setattr), SCMP_SYS(unshare),
    SCMP_SYS(setns), SCMP_SYS(bpf), SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register),
    SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
    SCMP_SYS(personality), SCMP_SYS(name_to_handle_at), SCMP_SYS(open_by_handle_at), SCMP_SYS(fanotify_init), SCMP_SYS(quotactl),
    SCMP_SYS(acct), SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(reboot), SCMP_SYS(init_module), SCMP_SYS(finit_module),
    SCMP_SYS(delete_module), SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(syslog), SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime), SCMP_SYS(clock_adjtime), SCMP_SYS(adjtimex), SCMP_SYS(sethostname), SCMP_SYS(setdomainname),
    SCMP_SYS(vmsplice), SCMP_SYS(move_pages), SCMP_SYS(mbind), SCMP_SYS(migrate_pages)};

/* The rest: by argument. clone3() hides its flags from a filter; the C library then takes clone(). */
static bool forbid_by_argument(scmp_filter_ctx filter)
{
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                            SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                            SCMP_A1(SCMP_CMP_MASKED_EQ, 0xFFFFFFFF, TIOCSTI)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_NE, AF_UNIX, 0)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socketpair), 1, SCMP_A0(SCMP_CMP_NE, AF_UNIX, 0)) == 0;
}

static bool read_all(int fd, struct buf *out)
{
    char block[4096];
    ssize_t got;

    if (!memory_file_rewind(fd))
        return false;
    while ((got = read(fd, block, sizeof block)) > 0)
        buf_add(out, block, (size_t)got);
    return got == 0 && out->len && !out->failed;
}

static bool make_filter(struct buf *out)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int fd = memory_file_of(slice_of("", 0));
    bool made = filter && fd >= 0;

    for (size_t at = 0; made && at < sizeof forbidden / sizeof *forbidden; at++)
        made = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), forbidden[at], 0) == 0;
    made = made && forbid_by_argument(filter) && seccomp_export_bpf(filter, fd) == 0 && read_all(fd, out);
    if (fd >= 0)
        close(fd);
    seccomp_release(filter);
    return made;
}

struct sandbox *sandbox_new(struct buf *error)
{
    struct sandbox *sandbox = calloc(1, sizeof *sandbox);

    if (!sandbox)
        return NULL;
    buf_init(&sandbox->filter, FILTER_MOST);
    if (make_filter(&sandbox->filter))
        return sandbox;
    buf_add_str(error, "cannot make the seccomp filter of the sandbox");
    sandbox_free(sandbox);
    return NULL;
}

void sandbox_free(struct sandbox *sandbox)
{
    if (!sandbox)
        return;
    buf_free(&sandbox->filter);
    free(sandbox);
}

/* bubblewrap's arguments */

static const char *const confinement[] = {
    "/usr/bin/bwrap", "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session",
    "--cap-drop", "ALL", "--clearenv",
    "--setenv", "PATH", "/usr/bin", "--setenv", "HOME", "/home", "--setenv", "TMPDIR", "/tmp", "--setenv", "LANG", "C.UTF-8",
    "--ro-bind", "/usr/bin", "/usr/bin", "--ro-bind", "/usr/lib", "/usr/lib",
    "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib",
    "--ro-bind-try", "/usr/lib64", "/usr/lib64", "--symlink", "usr/lib64", "/lib64",
    "--ro-bind-try", "/usr/share/fonts", "/usr/share/fonts", "--ro-bind-try", "/usr/share/fontconfig", "/usr/share/fontconfig",
    "--ro-bind-try", "/usr/local/share/fonts", "/usr/local/share/fonts",
    "--ro-bind-try", "/usr/share/libreoffice", "/usr/share/libreoffice",
    "--ro-bind-try", "/usr/share/liblangtag", "/usr/share/liblangtag",
    "--ro-bind-try", "/usr/share/poppler", "/usr/share/poppler",
    "--ro-bind-try", "/etc/fonts", "/etc/fonts", "--ro-bind-try", "/etc/libreoffice", "/etc/libreoffice",
    "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache",
    "--ro-bind-try", "/var/cache/fontconfig", "/var/cache/fontconfig",
    "--ro-bind-try", "/var/lib/libreoffice", "/var/lib/libreoffice",
    "--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev",
    "--size", "268435456", "--tmpfs", "/tmp", "--size", "67108864", "--tmpfs", "/home"};

/* What bubblewrap makes of its own is a file system in memory without a limit: it is closed last. */
static const char *const ending[] = {"--remount-ro", "/", "--chdir", "/tmp", "--", "/bin/sh", "-c"};

enum {
    CONFINEMENT = sizeof confinement / sizeof *confinement,
    ENDING = sizeof ending / sizeof *ending,
    ARGUMENTS_MOST = CONFINEMENT + 2 + 3 * SANDBOX_FILES + ENDING + 2 + SANDBOX_ARGUMENTS + 1
};

struct command {
    const char *argv[ARGUMENTS_MOST];
    size_t count;
    char number[SANDBOX_FILES + 1][NUMBER_TEXT]; /* descriptors, as text */
};

static void add(struct command *command, const char *const *words, size_t count)
{
    memcpy(command->argv + command->count, words, count * sizeof *words);
    command->count += count;
}

static const char *descriptor(struct command *command, struct child_order *order, int fd)
{
    char *text = command->number[order->keep_count];

    snprintf(text, NUMBER_TEXT, "%d", fd);
    order->keep[order->keep_count++] = fd;
    return text;
}

static void compose(struct command *command, const struct sandbox_task *task, struct child_order *order, int filter)
{
    add(command, confinement, CONFINEMENT);
    add(command, (const char *const[]){"--seccomp", descriptor(command, order, filter)}, 2);
    for (int at = 0; at < task->files; at++) {
        const struct sandbox_file *file = &task->file[at];

        add(command, (const char *const[]){file->writable ? "--file" : "--ro-bind-data", descriptor(command, order, file->fd),
                                           file->path}, 3);
    }
    add(command, ending, ENDING);
    add(command, (const char *const[]){task->script, "spoor-render"}, 2);
    for (size_t at = 0; task->arguments && task->arguments[at] && at < SANDBOX_ARGUMENTS; at++)
        add(command, &task->arguments[at], 1);
    command->argv[command->count] = NULL;
    order->argv = command->argv;
}

static bool rewind_all(const struct sandbox_task *task)
{
    for (int at = 0; at < task->files; at++)
        if (!memory_file_rewind(task->file[at].fd))
            return false;
    return true;
}

void sandbox_run(const struct sandbox *sandbox, const struct sandbox_task *task, struct child_order *order,
                 struct child_result *result)
{
    struct command *command = calloc(1, sizeof *command);
    int filter = memory_file_of(buf_slice(&sandbox->filter));

    *result = (struct child_result){.end = CHILD_UNSTARTED, .code = errno};
    order->keep_count = 0;
    if (command && filter >= 0 && rewind_all(task)) {
        compose(command, task, order, filter);
        child_run(order, result);
    }
    if (filter >= 0)
        close(filter);
    free(command);
}

/* What must hold: the filter, no network but its own, no file of the machine's, nothing to be written outside. */
static const char probe[] =
    "grep -q '^Seccomp:.2' /proc/self/status && grep -q '^CapEff:.0*$' /proc/self/status && [ ! -e /etc/passwd ] &&"
    " [ \"$(grep -c : /proc/net/dev)\" = 1 ] && ! (: >/usr/bin/x) 2>/dev/null && ! (: >/x) 2>/dev/null";

bool sandbox_works(const struct sandbox *sandbox, int stop_fd, struct child_result *result)
{
    const struct sandbox_task task = {.script = probe};
    struct child_order order = {.cpu_s = PROBE_CPU_S, .memory = (int64_t)1 << 30, .file_size = 1 << 20, .quiet_ms = PROBE_MS,
                                .until_ms = clock_monotonic_ms() + PROBE_MS, .stop_fd = stop_fd};

    sandbox_run(sandbox, &task, &order, result);
    return result->end == CHILD_EXITED && result->code == 0;
}
