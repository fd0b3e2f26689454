/* SPDX-License-Identifier: BSD-2-Clause */
/* worker - see worker.h */

#include "render/worker.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/shard.h"
#include "render/job.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    CONNECT_MS = 5000,
    QUESTION_MS = 10000,
    LOOK_MS = 30000,    /* without a notification */
    NAP_MS = 200,       /* how soon a stop is noticed meanwhile */
    REST_MS = 500,      /* the database is away; it has a backoff of its own */
    STOP_MS = 2000,     /* for giving back */
    LEASE_S = 90,       /* renewed every 20 s while a program runs, and with each page */
    AWAY_REMINDER_S = 300,
    NAME_TEXT = 128,
    HOST_TEXT = 65
};

struct worker {
    pthread_t thread;
    struct workers *workers;
    struct db *db;
    char name[NAME_TEXT];
    struct store_holder holder;
    int64_t unfinished; /* document that is still to be given back; 0: none */
};

struct workers {
    const struct conf *conf;
    const struct sandbox *sandbox;
    int stop_fd;
    size_t count;
    struct worker *worker;
    sem_t places; /* documents that may still be taken at once, of all servers together */
};

static struct log_throttle away = {.every_seconds = AWAY_REMINDER_S};

/* True once the program ends; waits so long for it. */
static bool is_stopping(const struct workers *workers, int wait_ms)
{
    struct pollfd descriptor = {.fd = workers->stop_fd, .events = POLLIN};

    return poll(&descriptor, 1, wait_ms) > 0;
}

/* one document */

static enum store_answer tell(struct worker *worker, const struct job *job, const struct outcome *outcome)
{
    int64_t document = job->claim.document;

    if (!outcome->state)
        return store_give_back_job(worker->db, &worker->holder, document, STOP_MS);
    if (outcome->wait_s)
        return store_put_off_job(worker->db, &worker->holder, document, outcome->reason, outcome->wait_s, QUESTION_MS);
    return store_finish_job(worker->db, &worker->holder, document, outcome->state, outcome->reason,
                            strcmp(outcome->state, "ready") == 0 ? job->pages : 0, QUESTION_MS);
}

static void log_end(const struct job *job, const struct outcome *outcome, int64_t ms)
{
    log_info("type=%s bytes=%lld attempt=%d state=%s%s%s pages=%d ms=%lld%s%s", job->claim.file_type, (long long)job->claim.bytes,
             job->claim.attempts, outcome->state ? outcome->state : "given-back", outcome->reason ? " reason=" : "",
             outcome->reason ? outcome->reason : "", job->pages, (long long)ms, *job->words ? " said: " : "", job->words);
}

/* False when the database did not hear how it ended. */
static bool convert(struct worker *worker, const struct store_job *claim)
{
    const struct workers *workers = worker->workers;
    struct job job = {.conf = workers->conf, .sandbox = workers->sandbox, .db = worker->db, .holder = &worker->holder,
                      .claim = *claim, .stop_fd = workers->stop_fd};
    int64_t start_ms = clock_monotonic_ms();
    char context[NAME_TEXT];
    enum finding finding;
    struct outcome outcome;

    snprintf(context, sizeof context, "document %lld", (long long)claim->document);
    log_set_context(context);
    /* Whoever tried before and told nothing died of it, each time. */
    finding = claim->attempts > ATTEMPTS_MOST ? FOUND_KILLED : job_run(&job);
    outcome = outcome_of(finding, claim->attempts);
    if (finding == FOUND_NO_SANDBOX)
        log_err("no conversion without the sandbox, and it does not work any more");
    if (finding == FOUND_LOST)
        log_warn("somebody else has taken it over; what was made of it is left to him");
    else if (tell(worker, &job, &outcome) == STORE_AWAY)
        worker->unfinished = claim->document;
    log_end(&job, &outcome, clock_monotonic_ms() - start_ms);
    log_set_context(NULL);
    return worker->unfinished == 0;
}

/* the thread */

/* What could not be told when it ended is done once more; it is nobody's fault. */
static bool give_back(struct worker *worker)
{
    if (worker->unfinished &&
        store_give_back_job(worker->db, &worker->holder, worker->unfinished, QUESTION_MS) == STORE_AWAY)
        return false;
    worker->unfinished = 0;
    return true;
}

static bool begin_session(struct worker *worker)
{
    return store_connect(worker->db, CONNECT_MS) && store_listen_jobs(worker->db, QUESTION_MS) == STORE_YES && give_back(worker);
}

/* Until there may be something to do. */
static void wait_for_job(struct worker *worker)
{
    int64_t until_ms = clock_monotonic_ms() + LOOK_MS;
    char channel[CHANNEL_BYTES];
    bool notified = false;

    while (!notified && db_stands(worker->db) && clock_left_ms(until_ms) && !is_stopping(worker->workers, 0))
        notified = db_wait_notification(worker->db, NAP_MS, channel);
    while (notified && db_wait_notification(worker->db, 0, channel))
        continue;
}

static bool take_place(struct workers *workers)
{
    while (sem_trywait(&workers->places) != 0)
        if (is_stopping(workers, NAP_MS))
            return false;
    return true;
}

/* False when the database is away. */
static bool look_for_job(struct worker *worker)
{
    struct workers *workers = worker->workers;
    enum store_answer answer;
    struct store_job claim;
    bool fine = false;

    if (!take_place(workers))
        return true;
    answer = store_claim_job(worker->db, &worker->holder, &claim, QUESTION_MS);
    if (answer == STORE_YES)
        fine = convert(worker, &claim);
    sem_post(&workers->places);
    if (answer == STORE_NO) {
        wait_for_job(worker);
        fine = db_stands(worker->db);
    }
    return fine;
}

static void *run(void *arg)
{
    struct worker *worker = arg;
    bool in_session = false;

    while (!is_stopping(worker->workers, 0)) {
        in_session = in_session ? look_for_job(worker) : begin_session(worker);
        if (in_session || is_stopping(worker->workers, 0))
            continue;
        log_throttled(&away, LOG_WARNING, "cannot ask the database for documents: %s", db_error(worker->db));
        is_stopping(worker->workers, REST_MS);
    }
    return NULL;
}

/* life */

static bool init_worker(struct workers *workers, struct worker *worker, unsigned shard, const char *program)
{
    char host[HOST_TEXT] = "";

    gethostname(host, sizeof host - 1);
    snprintf(worker->name, sizeof worker->name, "%s %ld.%zu", host, (long)getpid(), workers->count);
    worker->workers = workers;
    worker->holder = (struct store_holder){.name = worker->name, .lease_s = LEASE_S};
    worker->db = db_new_shard(shard_database(workers->conf, shard), shard, program);
    return worker->db != NULL;
}

static void end_threads(struct workers *workers)
{
    if (workers->stop_fd >= 0 && eventfd_write(workers->stop_fd, 1) != 0)
        log_err("cannot tell the threads to end: %m");
    for (size_t at = 0; at < workers->count; at++)
        db_end_by(workers->worker[at].db, STOP_MS);
    for (size_t at = 0; at < workers->count; at++) {
        pthread_join(workers->worker[at].thread, NULL);
        db_free(workers->worker[at].db);
    }
}

void workers_stop(struct workers *workers)
{
    if (!workers)
        return;
    end_threads(workers);
    if (workers->stop_fd >= 0)
        close(workers->stop_fd);
    sem_destroy(&workers->places);
    free(workers->worker);
    free(workers);
}

static bool start_threads(struct workers *workers, unsigned shard, size_t wanted, const char *program, struct buf *error)
{
    for (size_t started = 0; started < wanted; started++) {
        struct worker *worker = &workers->worker[workers->count];
        int failure = init_worker(workers, worker, shard, program) ? pthread_create(&worker->thread, NULL, run, worker) : ENOMEM;

        if (failure != 0) {
            db_free(worker->db);
            buf_add_f(error, "cannot start a thread that converts: %s", strerrordesc_np(failure));
            return false;
        }
        workers->count++;
    }
    return true;
}

/* So many for each server, for any of them may have all there is to do. */
static bool start_all(struct workers *workers, size_t wanted, const char *program, struct buf *error)
{
    for (unsigned shard = 0; shard < SHARDS; shard++)
        if (shard_database(workers->conf, shard) && !start_threads(workers, shard, wanted, program, error))
            return false;
    return true;
}

struct workers *workers_start(const struct conf *conf, const struct sandbox *sandbox, const char *program, struct buf *error)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t wanted = conf->render.jobs ? (size_t)conf->render.jobs : cores > 0 ? (size_t)cores : 1;
    struct workers *workers = calloc(1, sizeof *workers);

    if (!workers)
        return NULL;
    workers->conf = conf;
    workers->sandbox = sandbox;
    workers->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    sem_init(&workers->places, 0, (unsigned)wanted);
    workers->worker = calloc(wanted * (1 + conf->shards.count), sizeof *workers->worker);
    if (workers->stop_fd >= 0 && workers->worker && start_all(workers, wanted, program, error))
        return workers;
    workers_stop(workers);
    return NULL;
}
