/* SPDX-License-Identifier: BSD-2-Clause */
/* any bytes behind a good first line of spoor.conf: refused with a reason, or what is printed loads again */

#include "common/conf.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct conf *load(const char *start, const void *bytes, size_t size)
{
    const struct iovec parts[] = {{(void *)(uintptr_t)start, strlen(start)}, {(void *)(uintptr_t)bytes, size}};
    char path[64];
    struct buf error;
    struct conf *conf;
    int fd = memfd_create("conf", MFD_CLOEXEC);

    if (fd < 0 || writev(fd, parts, 2) != (ssize_t)(parts[0].iov_len + size))
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    buf_init(&error, 8000);
    conf = conf_load(path, CONF_DRY_RUN, &error);
    if (!conf != (error.len > 0))
        abort();
    buf_free(&error);
    close(fd);
    return conf;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf *conf = load("tracking_url = \"http://t\"\n", data, size);
    char *text = NULL;
    size_t len = 0;
    FILE *out;

    if (!conf)
        return 0;
    out = open_memstream(&text, &len);
    conf_print(conf, out);
    fclose(out);
    conf_free(conf);
    conf = load("", text, len);
    if (!conf)
        abort();
    conf_free(conf);
    free(text);
    return 0;
}
