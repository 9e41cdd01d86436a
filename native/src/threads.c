/*
 * A team meets many times in a step of a few microseconds, so meeting must cost little: every member counts its
 * meetings in a cache line of its own, and waits until all others have counted as far. Who has waited in vain for some
 * time yields, and sleeps at last: a partner may have lost its processor to another program. Spinning has to last longer
 * than to be woken takes: else two that have slept once find each other asleep at every meeting.
 */
#include "threads.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { CACHE_LINE = 64, SPINS = 1000 }; /* about 20 us: longer than it takes to choose a token */

/* Seconds. */
#define PATIENCE      1e-3 /* before falling asleep */
#define TRIAL         2e-3 /* of work before the team is judged; long beside being woken */
#define SHORTEST_REST 4e-3 /* doubled each time that the team is found to be no help */
#define LONGEST_REST  0.25

struct member {
    _Alignas(CACHE_LINE) atomic_uint meetings; /* how many it has come to; wraps around */
    tsws_team *team;
    size_t index;
    pthread_t thread;
};

struct tsws_team {
    size_t size;
    tsws_team_work *work; /* NULL: go home */
    void *context;
    pthread_mutex_t mutex; /* for sleeping alone */
    pthread_cond_t wake;
    atomic_uint sleepers;
    size_t n_started;
    struct member *members; /* (size,) */

    /* The caller's own. */
    double worked; /* seconds of this trial, those that it waited for others included */
    double waited; /* for long */
    double rest_end;
    double rest_length; /* of the next one */
};

static double seconds(void) {
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Tells the processor that this is a loop that waits. */
static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

static bool has_come(struct member *member, unsigned meeting) {
    return (int)(atomic_load(&member->meetings) - meeting) >= 0;
}

static void sleep_until(tsws_team *team, struct member *member, unsigned meeting) {
    (void)pthread_mutex_lock(&team->mutex);
    /* Either this is seen by come(), or what come() wrote before is seen here. */
    (void)atomic_fetch_add(&team->sleepers, 1);
    while (!has_come(member, meeting)) {
        (void)pthread_cond_wait(&team->wake, &team->mutex);
    }
    (void)atomic_fetch_sub(&team->sleepers, 1);
    (void)pthread_mutex_unlock(&team->mutex);
}

/* Gives the seconds that it took, 0 when it was short. */
static double wait_until(tsws_team *team, struct member *member, unsigned meeting) {
    double start;

    for (int i = 0; i < SPINS; i++) {
        if (has_come(member, meeting)) {
            return 0.0;
        }
        relax();
    }
    start = seconds();
    while (!has_come(member, meeting)) {
        if (seconds() - start > PATIENCE) {
            sleep_until(team, member, meeting);
        } else {
            (void)sched_yield();
        }
    }
    return seconds() - start;
}

/* Counts one more meeting of the member's own, and says which it is. */
static unsigned come(tsws_team *team, size_t member) {
    unsigned meeting = atomic_load_explicit(&team->members[member].meetings, memory_order_relaxed) + 1;

    atomic_store(&team->members[member].meetings, meeting);
    if (atomic_load(&team->sleepers) != 0) {
        (void)pthread_mutex_lock(&team->mutex);
        (void)pthread_cond_broadcast(&team->wake);
        (void)pthread_mutex_unlock(&team->mutex);
    }
    return meeting;
}

static void wait_for_others(tsws_team *team, size_t member, unsigned meeting) {
    for (size_t i = 0; i < team->size; i++) {
        if (i != member) {
            double waited = wait_until(team, &team->members[i], meeting);

            if (member == 0) {
                team->waited += waited;
            }
        }
    }
}

void tsws_team_meet(tsws_team *team, size_t member) {
    wait_for_others(team, member, come(team, member));
}

static void *live(void *argument) {
    struct member *member = argument;
    tsws_team *team = member->team;

    for (;;) {
        (void)wait_until(team, &team->members[0], come(team, member->index)); /* the caller comes when there is work */
        if (team->work == NULL) {
            return NULL;
        }
        team->work(team->context, member->index, team->size);
    }
}

/*
 * Sends the members to rest when the caller alone would have been as quick: that is when it waited for half of what the
 * others were to save it, for some of that goes into meeting and into sharing data.
 */
static void judge_team(tsws_team *team, double start) {
    double now = seconds();

    team->worked += now - start;
    if (team->worked < TRIAL) {
        return;
    }
    if (team->waited * (double)(2 * team->size) > team->worked * (double)(team->size - 1)) {
        team->rest_end = now + team->rest_length;
        team->rest_length = team->rest_length * 2.0 < LONGEST_REST ? team->rest_length * 2.0 : LONGEST_REST;
    } else {
        team->rest_length = SHORTEST_REST;
    }
    team->worked = 0.0;
    team->waited = 0.0;
}

void tsws_team_run(tsws_team *team, tsws_team_work *work, void *context) {
    double start = team->size > 1 ? seconds() : 0.0;

    if (team->size == 1 || start < team->rest_end) {
        work(context, 0, 1);
        return;
    }
    team->work = work;
    team->context = context;
    (void)come(team, 0);
    work(context, 0, team->size);
    /* The others are done when they have come to the next meeting, where they wait for the caller's next work. */
    wait_for_others(team, 0, atomic_load_explicit(&team->members[0].meetings, memory_order_relaxed) + 1);
    judge_team(team, start);
}

size_t tsws_team_size(const tsws_team *team) {
    return team->size;
}

/* Starts the threads; how many have been is in n_started. */
static bool start_threads(tsws_team *team) {
    sigset_t all, before;
    bool is_started = true;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* new threads take this over */
    for (size_t i = 1; is_started && i < team->size; i++) {
        is_started = pthread_create(&team->members[i].thread, NULL, live, &team->members[i]) == 0;
        team->n_started += is_started;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return is_started;
}

tsws_status tsws_team_create(size_t n_threads, tsws_team **team, tsws_error *error) {
    tsws_team *created = calloc(1, sizeof *created);

    *team = NULL;
    if (created != NULL) {
        created->members = aligned_alloc(CACHE_LINE, n_threads * sizeof *created->members);
    }
    if (created == NULL || created->members == NULL) {
        free(created);
        return tsws_fail(error, TSWS_ERROR_MEMORY, "memory is short for %zu threads", n_threads);
    }
    created->size = n_threads;
    created->rest_length = SHORTEST_REST;
    for (size_t i = 0; i < n_threads; i++) {
        atomic_init(&created->members[i].meetings, 0);
        created->members[i].team = created;
        created->members[i].index = i;
    }
    atomic_init(&created->sleepers, 0);
    (void)pthread_mutex_init(&created->mutex, NULL);
    (void)pthread_cond_init(&created->wake, NULL);
    if (!start_threads(created)) {
        tsws_team_destroy(created);
        return tsws_fail(error, TSWS_ERROR_MEMORY, "%zu threads can not be started", n_threads);
    }
    *team = created;
    return TSWS_OK;
}

void tsws_team_destroy(tsws_team *team) {
    if (team == NULL) {
        return;
    }
    team->work = NULL;
    (void)come(team, 0);
    for (size_t i = 1; i <= team->n_started; i++) {
        (void)pthread_join(team->members[i].thread, NULL);
    }
    (void)pthread_cond_destroy(&team->wake);
    (void)pthread_mutex_destroy(&team->mutex);
    free(team->members);
    free(team);
}
