/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * any bytes as a segment: recovery never crashes and finds no record that was not written there
 *
 * The input is a list of scribbles (u16 place, u8 length, bytes) over a good segment, and what is behind them is the file's
 * tail. The identity differs in every run of the target, as the fuzzer watches comparisons and would
 * otherwise learn to compute the checksum.
 */

#include "common/spool_segment.h"
#include "common/little_endian.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { GOOD = 20, PAYLOAD = 60, START = 1 << 20, BASE = 4096, TAIL_MAX = 4096 };

static uint8_t file[BASE + TAIL_MAX];
static uint64_t place[GOOD + 1]; /* of each good record, and of their end */

static void payload_make(int n, char payload[PAYLOAD])
{
    memset(payload, 'a' + n, PAYLOAD);
}

static void segment_make(struct spool_segment *segment)
{
    uint8_t identity[SPOOL_IDENTITY_BYTES];
    char payload[PAYLOAD];

    if (getrandom(identity, sizeof identity, 0) != sizeof identity)
        abort();
    memset(file, 0, sizeof file);
    spool_segment_init(segment, START, BASE, identity);
    place[0] = segment->end;
    for (int n = 0; n < GOOD; n++) {
        payload_make(n, payload);
        spool_record_build(file + (place[n] - START), segment, place[n], 1, 1, slice_of(payload, (size_t)(n + 1)));
        place[n + 1] = place[n] + spool_record_size((size_t)(n + 1));
    }
}

static void scribble(const uint8_t **data, size_t *size)
{
    while (*size > 3 && (*data)[2] != 0) {
        size_t at = le16_get(*data) % BASE, len = (*data)[2];

        *data += 3;
        *size -= 3;
        if (len > *size)
            len = *size;
        if (len > BASE - at)
            len = BASE - at;
        memcpy(file + at, *data, len);
        *data += len;
        *size -= len;
    }
}

/* Nothing but what was written, at its place. */
static void expect_written(const struct spool_record *record)
{
    char payload[PAYLOAD];

    for (int n = 0; n < GOOD; n++)
        if (record->position == place[n]) {
            payload_make(n, payload);
            if (!slice_eq(record->payload, slice_of(payload, (size_t)(n + 1))) || record->end != place[n + 1])
                abort();
            return;
        }
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct spool_segment segment, header;
    struct spool_recovery recovery;
    struct spool_window window;
    struct spool_record record;
    int memory = memfd_create("segment", MFD_CLOEXEC);

    if (memory < 0)
        abort();
    segment_make(&segment);
    scribble(&data, &size);
    if (size > TAIL_MAX)
        size = TAIL_MAX;
    if (size)
        memcpy(file + BASE, data, size);
    segment.size += size;
    if (write(memory, file, segment.size) != (ssize_t)segment.size)
        abort();
    if (spool_segment_read_header(memory, START, &header)) /* the header was never written */
        abort();
    if (!spool_segment_recover(memory, &segment, &recovery) || !spool_window_init(&window, memory))
        abort();
    for (uint64_t at = START; at < START + segment.size; at += SPOOL_ALIGN)
        if (spool_record_find(&window, &segment, at, START + segment.size, &record) == SPOOL_FOUND) {
            expect_written(&record);
            if (at >= segment.end && !recovery.severed)
                abort();
        }
    spool_window_free(&window);
    close(memory);
    return 0;
}
