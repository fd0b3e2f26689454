/* SPDX-License-Identifier: BSD-2-Clause */
/* conf_load - from the file to a struct conf: libconfuse reads, the table in conf.c says what it means. See conf.h */

#include "common/conf_form.h"
#include "common/conf_private.h"
#include "common/organisation.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <confuse.h>

enum { FILE_MOST = 1024 * 1024 };

/* libconfuse hands no pointer to its callbacks, and its scanner is global: one load at a time. */
static pthread_mutex_t one_load = PTHREAD_MUTEX_INITIALIZER;
static struct {
    struct buf *error;
    const char *path;
    int line[CONF_ROWS_MAX + CONF_SINK_ROWS]; /* where the option stands; 0: it does not */
    const cfg_t *section;            /* last one seen of those that may come several times */
    bool ended;
} loading;

/*
 * Stands behind the file's own text: libconfuse takes an unclosed comment or section without a word, and a swallowed
 * `mode = observe` would be found out by the mails.
 */
static const char end_mark[] = "\n__end_of_file__ = yes\n";
static const char end_name[] = "__end_of_file__";

static size_t row_named(const char *section, const char *name)
{
    size_t n = 0;

    while (n < conf_rows_count + CONF_SINK_ROWS && (strcmp(conf_row_at(n)->section, section) != 0 || strcmp(conf_row_at(n)->name, name) != 0))
        n++;
    return n;
}

/* The first error counts: what libconfuse says after it is a consequence. */
__attribute__((format(printf, 2, 0))) static void on_error(cfg_t *cfg, const char *format, va_list args)
{
    if (loading.error->len)
        return;
    buf_add_f(loading.error, "%s:%d: ", loading.path, cfg->line);
    buf_add_vf(loading.error, format, args);
}

static int on_value(cfg_t *cfg, cfg_opt_t *option, const char *text, void *result)
{
    const char *section = strcmp(cfg_name(cfg), "root") == 0 ? "" : cfg_name(cfg);
    size_t n = row_named(section, option->name);
    struct buf why;
    bool fine = true;

    buf_init(&why, 1000);
    if (n >= conf_rows_count && loading.section != cfg) {
        memset(loading.line + conf_rows_count, 0, CONF_SINK_ROWS * sizeof *loading.line);
        loading.section = cfg;
    }
    if (loading.line[n] && !conf_row_is_list(conf_row_at(n))) {
        buf_add_f(&why, "%s stands in line %d already", option->name, loading.line[n]);
        fine = false;
    }
    if (strcmp(text, end_name) == 0) {
        buf_add_f(&why, "the file ends where %s should have a value", option->name);
        fine = false;
    }
    fine = fine && conf_row_check(conf_row_at(n), text, &why);
    if (!fine)
        cfg_error(cfg, "%s", buf_text(&why));
    buf_free(&why);
    loading.line[n] = cfg->line;
    *(const char **)result = text;
    return fine ? 0 : -1;
}

static int on_end(cfg_t *cfg, cfg_opt_t *option, const char *text, void *result)
{
    (void)option;
    loading.ended = strcmp(cfg_name(cfg), "root") == 0;
    *(const char **)result = text;
    return 0;
}

/* All options are texts to libconfuse; what they mean is our table's affair. */
static size_t section_options(const char *section, cfg_opt_t *options)
{
    const cfg_opt_t end = CFG_STR_CB(end_name, NULL, CFGF_NODEFAULT, on_end);
    size_t count = 0;

    options[count++] = end;
    for (size_t n = 0; n < conf_rows_count + CONF_SINK_ROWS; n++) {
        const cfg_opt_t text = CFG_STR_CB(conf_row_at(n)->name, NULL, CFGF_NODEFAULT, on_value);
        const cfg_opt_t list = CFG_STR_LIST_CB(conf_row_at(n)->name, NULL, CFGF_NODEFAULT, on_value);

        if (strcmp(conf_row_at(n)->section, section) == 0)
            options[count++] = conf_row_is_list(conf_row_at(n)) ? list : text;
    }
    return count;
}

static cfg_t *make_parser(void)
{
    static cfg_opt_t options[CONF_PARTS][CONF_ROWS_MAX + CONF_PARTS + 2];
    static cfg_opt_t sink_options[CONF_SINK_ROWS + 2];
    const cfg_opt_t end = CFG_END();
    const cfg_opt_t sink = CFG_SEC("sink", sink_options, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
    size_t top = section_options("", options[0]);

    for (enum conf_part part = CONF_STAMP; part < CONF_PARTS; part++) {
        const cfg_opt_t section = CFG_SEC(conf_part_section(part), options[part], CFGF_NONE);

        options[part][section_options(conf_part_section(part), options[part])] = end;
        options[0][top++] = section;
    }
    sink_options[section_options("sink", sink_options)] = end;
    options[0][top++] = sink;
    options[0][top] = end;
    return cfg_init(options[0], CFGF_NONE);
}

static bool set_row(void *of, const struct conf_row *row, cfg_t *section)
{
    cfg_opt_t *option = section ? cfg_getopt(section, row->name) : NULL;
    unsigned count = option ? cfg_opt_size(option) : 0;
    const char **texts;
    bool set;

    if (!option || !(option->flags & CFGF_MODIFIED))
        return conf_row_set_default(row, of);
    texts = calloc(count + 1, sizeof *texts);
    if (!texts)
        return false;
    for (unsigned n = 0; n < count; n++)
        texts[n] = cfg_opt_getnstr(option, n);
    set = conf_row_set(row, of, texts, count);
    free(texts);
    return set;
}

static bool check_organisation(const struct conf *conf, struct buf *error)
{
    struct buf why;
    bool fine;

    buf_init(&why, 1000);
    fine = organisation_check(&conf->organisation, &conf->local_domains, &why);
    if (!fine)
        buf_add_f(error, "%s:%d: %s", conf->path, loading.line[row_named("", "organisation")], buf_text(&why));
    buf_free(&why);
    return fine;
}

static bool set_sink(struct conf_sink *sink, cfg_t *section, struct buf *error)
{
    struct buf name;
    bool fine;

    buf_init(&name, 60);
    fine = conf_form_name(slice_str(cfg_title(section)), &name) && (sink->name = buf_steal(&name));
    buf_free(&name);
    if (!fine) {
        cfg_error(section, "\"%.100s\" is no name for a sink; wanted: up to 60 letters, digits, - and _", cfg_title(section));
        return false;
    }
    for (size_t n = 0; fine && n < CONF_SINK_ROWS; n++) {
        fine = set_row(sink, &conf_sink_rows[n], section);
        if (!fine)
            buf_add_f(error, "sink %s: %s is too long, or memory is short", sink->name, conf_sink_rows[n].name);
    }
    return fine;
}

static bool set_sinks(struct conf *conf, cfg_t *root, struct buf *error)
{
    unsigned count = cfg_size(root, "sink");
    bool fine = true;

    conf->sink = calloc(count + 1, sizeof *conf->sink);
    while (fine && conf->sink && conf->sinks < count) {
        conf->sinks++;
        fine = set_sink(&conf->sink[conf->sinks - 1], cfg_getnsec(root, "sink", (unsigned)conf->sinks - 1), error);
    }
    return fine && conf->sink;
}

static bool set_rows(struct conf *conf, cfg_t *root, struct buf *error)
{
    for (size_t n = 0; n < conf_rows_count; n++) {
        if (set_row(conf, &conf_rows[n], *conf_rows[n].section ? cfg_getsec(root, conf_rows[n].section) : root))
            continue;
        buf_add_f(error, "%s: %s is too long, or memory is short", conf->path, conf_rows[n].name);
        return false;
    }
    return set_sinks(conf, root, error);
}

static bool parse(struct conf *conf, FILE *file, struct buf *error)
{
    cfg_t *root = make_parser();
    bool fine;

    if (!root) {
        buf_add_f(error, "%s: out of memory", conf->path);
        return false;
    }
    cfg_set_error_function(root, on_error);
    fine = cfg_parse_fp(root, file) == CFG_SUCCESS;
    if (!fine && error->len == 0)
        buf_add_f(error, "%s:%d: cannot be read", conf->path, root->line);
    if (fine && !loading.ended) {
        buf_add_f(error, "%s: a section or comment in it is not closed", conf->path);
        fine = false;
    }
    fine = fine && set_rows(conf, root, error);
    cfg_free(root);
    return fine && check_organisation(conf, error);
}

static bool parse_alone(struct conf *conf, FILE *file, struct buf *error)
{
    bool fine;

    pthread_mutex_lock(&one_load);
    loading.error = error;
    loading.path = conf->path;
    memset(loading.line, 0, sizeof loading.line);
    loading.ended = false;
    fine = parse(conf, file, error);
    pthread_mutex_unlock(&one_load);
    return fine;
}

/* libconfuse ends the program when it reads a folder, so that is looked at first. */
static int open_file(const char *path, struct buf *error)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &status) != 0)
        buf_add_f(error, "%s: cannot open the configuration: %s", path, strerrordesc_np(errno));
    else if (!S_ISREG(status.st_mode) || status.st_size > FILE_MOST)
        buf_add_f(error, "%s: the configuration is not a regular file of less than 1 MB", path);
    else
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool read_file(const char *path, struct buf *text, struct buf *error)
{
    int fd = open_file(path, error);
    char block[4096];
    ssize_t got;

    if (fd < 0)
        return false;
    while ((got = read(fd, block, sizeof block)) > 0)
        buf_add(text, block, (size_t)got);
    close(fd);
    if (got == 0 && buf_add_str(text, end_mark))
        return true;
    buf_add_f(error, "%s: cannot read the configuration: %s", path, got < 0 ? strerrordesc_np(errno) : "too long");
    return false;
}

static struct conf *load_text(const char *path, struct buf *text, struct buf *error)
{
    struct conf *conf = calloc(1, sizeof *conf);
    FILE *file = conf && (conf->path = strdup(path)) ? fmemopen(text->data, text->len, "r") : NULL;
    bool fine = file && parse_alone(conf, file, error);

    if (file)
        fclose(file);
    else
        buf_add_f(error, "%s: out of memory", path);
    if (fine)
        return conf;
    conf_free(conf);
    return NULL;
}

struct conf *conf_load(const char *path, enum conf_part part, struct buf *error)
{
    struct conf *conf = NULL;
    struct buf text;

    buf_init(&text, 2 * FILE_MOST);
    if (read_file(path, &text, error))
        conf = load_text(path, &text, error);
    buf_free(&text);
    if (!conf || conf_is_complete(conf, part, error))
        return conf;
    conf_free(conf);
    return NULL;
}
