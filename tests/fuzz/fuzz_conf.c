/* SPDX-License-Identifier: BSD-2-Clause */
/* any bytes as spoor.conf: refused with a reason, or what is printed loads again */

#include "common/conf.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct conf *load(const void *bytes, size_t size)
{
    char path[64];
    struct buf error;
    struct conf *conf;
    int fd = memfd_create("conf", MFD_CLOEXEC);

    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
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
    struct conf *conf = load(data, size);
    char *text = NULL;
    size_t len = 0;
    FILE *out;

    if (!conf)
        return 0;
    out = open_memstream(&text, &len);
    conf_print(conf, out);
    fclose(out);
    conf_free(conf);
    conf = load(text, len);
    if (!conf)
        abort();
    conf_free(conf);
    free(text);
    return 0;
}
