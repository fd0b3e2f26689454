/* SPDX-License-Identifier: BSD-2-Clause */
/* observed - what was done to mail, or would have been with mode = observe, from the log of spoor-stamp. */

#include "ctl/command.h"
#include "ctl/observation.h"

#include <stdio.h>
#include <string.h>

enum { REPORT_MAX = 1024 * 1024, LINE_READ = 16 * 1024 };

/* A line, or as much of it as there is room for. False at the end of the file. */
static bool next_line(FILE *file, char line[LINE_READ], size_t *len)
{
    int c;

    *len = 0;
    while ((c = getc_unlocked(file)) != EOF && c != '\n')
        if (*len < LINE_READ)
            line[(*len)++] = (char)c;
    return *len || c != EOF;
}

static bool read_lines(FILE *file, const char *name, struct observed_sums *sums)
{
    struct observation observation;
    char line[LINE_READ];
    bool good = true;
    size_t len;

    while (good && next_line(file, line, &len))
        if (observation_read(slice_of(line, len), &observation))
            good = observed_sums_add(sums, &observation);
    if (!good)
        fprintf(stderr, "spoorctl: out of memory\n");
    else if (ferror(file))
        fprintf(stderr, "spoorctl: cannot read %s: %m\n", name);
    return good && !ferror(file);
}

static bool read_file(const char *name, struct observed_sums *sums)
{
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "r");
    bool good;

    if (!file) {
        fprintf(stderr, "spoorctl: cannot read %s: %m\n", name);
        return false;
    }
    good = read_lines(file, name, sums);
    if (file != stdin)
        fclose(file);
    return good;
}

static bool report(struct observed_sums *sums)
{
    struct buf text;

    if (!sums->mails) {
        fprintf(stderr, "spoorctl: no line of spoor-stamp about a mail is there\n");
        return false;
    }
    buf_init(&text, REPORT_MAX);
    observed_sums_report(sums, &text);
    fwrite(buf_text(&text), 1, text.len, stdout);
    buf_free(&text);
    return true;
}

int observed_command(const struct conf *conf, int argc, char **argv)
{
    static const char *const standard_input[] = {"-"};
    const char *const *name = argc > 1 ? (const char *const *)argv + 1 : standard_input;
    int names = argc > 1 ? argc - 1 : 1;
    struct observed_sums *sums = observed_sums_new();
    bool good = sums != NULL;

    (void)conf;
    for (int n = 0; good && n < names; n++)
        good = read_file(name[n], sums);
    good = good && report(sums);
    observed_sums_free(sums);
    return good ? COMMAND_DONE : COMMAND_FAILED;
}
