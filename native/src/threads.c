/*
 * A team meets many times in a step of a few microseconds, so meeting must cost little: every member counts its
 * meetings in a cache line of its own, and waits until all others have counted as far. Who has waited in vain for some
 * time yields, and sleeps at last: a partner may have lost its processor to another program.
 *
 * To wake a sleeper takes longer than many a step. So a short step is not delayed for one: the caller wakes it for the
 * steps to come, and does this one alone.
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
#define PATIENCE      1e-3 /* before falling asleep: longer than it takes to be woken */
#define TRIAL         2e-3 /* of work before the team is judged */
#define SHORTEST_REST 4e-3 /* doubled each time that the team is found to be no help */
#define LONGEST_REST  0.25

struct member {
    _Alignas(CACHE_LINE) atomic_uint meetings; /* how many it has come to; wraps around */
    atomic_bool is_awake;                      /* while it waits for work */
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
    atomic_uint calls;           /* to get up, for there will be work */
    atomic_int caller_processor; /* where it was seen last; -1: unknown */
    size_t n_started;
    struct member *members; /* (size,) */

    /* The caller's own. */
    double last_call;
    double worked; /* seconds of this trial, those that it waited for others included */
    double waited; /* for long */
    double rest_end;
    double rest_length; /* of the next one */
};

/* ---- Waiting --------------------------------------------------------------------------------------------------- */

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

/* The processor that runs this thread; -1: unknown. */
static int this_processor(void) {
#if defined(__linux__)
    return sched_getcpu();
#else
    return -1;
#endif
}

static bool has_come(struct member *member, unsigned meeting) {
    return (int)(atomic_load(&member->meetings) - meeting) >= 0;
}

/* Stays awake for some time. Whether the member has come; `waited` grows by the seconds that it took, if they were many. */
static bool watch_for(struct member *member, unsigned meeting, double *waited) {
    double start, now;

    for (int i = 0; i < SPINS; i++) {
        if (has_come(member, meeting)) {
            return true;
        }
        relax();
    }
    start = now = seconds();
    while (!has_come(member, meeting) && now - start < PATIENCE) {
        (void)sched_yield();
        now = seconds();
    }
    *waited += now - start;
    return has_come(member, meeting);
}

/* Sleeps until the member has come, or until there is a call after `calls`. */
static void sleep_until(tsws_team *team, struct member *member, unsigned meeting, const unsigned *calls) {
    (void)pthread_mutex_lock(&team->mutex);
    /* Either this is seen by wake_sleepers(), or what was written before that is seen here. */
    (void)atomic_fetch_add(&team->sleepers, 1);
    while (!has_come(member, meeting) && (calls == NULL || atomic_load(&team->calls) == *calls)) {
        (void)pthread_cond_wait(&team->wake, &team->mutex);
    }
    (void)atomic_fetch_sub(&team->sleepers, 1);
    (void)pthread_mutex_unlock(&team->mutex);
}

static void wake_sleepers(tsws_team *team) {
    if (atomic_load(&team->sleepers) != 0) {
        (void)pthread_mutex_lock(&team->mutex);
        (void)pthread_cond_broadcast(&team->wake);
        (void)pthread_mutex_unlock(&team->mutex);
    }
}

/* ---- Meeting --------------------------------------------------------------------------------------------------- */

/* Counts one more meeting of the member's own, and says which it is. */
static unsigned come(tsws_team *team, size_t member) {
    unsigned meeting = atomic_load_explicit(&team->members[member].meetings, memory_order_relaxed) + 1;

    atomic_store(&team->members[member].meetings, meeting);
    wake_sleepers(team);
    return meeting;
}

static void wait_for_others(tsws_team *team, size_t member, unsigned meeting) {
    double waited = 0.0;

    for (size_t i = 0; i < team->size; i++) {
        if (i != member && !watch_for(&team->members[i], meeting, &waited)) {
            double start = seconds();

            sleep_until(team, &team->members[i], meeting, NULL);
            waited += seconds() - start;
        }
    }
    if (member == 0) {
        team->waited += waited;
    }
}

void tsws_team_meet(tsws_team *team, size_t member) {
    wait_for_others(team, member, come(team, member));
}

/* ---- The members but the caller ---------------------------------------------------------------------------------- */

/*
 * Leaves the processor to the thread that runs there. A sleeper often wakes on the processor of the thread that woke it,
 * even where another one idles.
 */
static void leave_processor(int processor) {
#if defined(__linux__)
    cpu_set_t all, others;

    if (sched_getaffinity(0, sizeof all, &all) == 0) {
        others = all;
        CPU_CLR((size_t)processor, &others);
        if (CPU_COUNT(&others) > 0 && sched_setaffinity(0, sizeof others, &others) == 0) {
            (void)sched_setaffinity(0, sizeof all, &all);
        }
    }
#else
    (void)processor;
#endif
}

/* Awake for as long as work may come soon; not on the caller's processor, where that would only delay it. */
static void wait_for_work(tsws_team *team, struct member *member, unsigned meeting) {
    struct member *caller = &team->members[0];
    double waited = 0.0;

    while (!has_come(caller, meeting)) {
        unsigned calls = atomic_load(&team->calls);
        int processor = this_processor();

        if (processor >= 0 && processor == atomic_load(&team->caller_processor)) {
            leave_processor(processor);
            processor = this_processor();
        }
        if (processor < 0 || processor != atomic_load(&team->caller_processor)) {
            atomic_store(&member->is_awake, true);
            if (watch_for(caller, meeting, &waited)) {
                return;
            }
        }
        atomic_store(&member->is_awake, false);
        sleep_until(team, caller, meeting, &calls);
    }
}

static void *live(void *argument) {
    struct member *member = argument;
    tsws_team *team = member->team;

    for (;;) {
        wait_for_work(team, member, come(team, member->index));
        if (team->work == NULL) {
            return NULL;
        }
        team->work(team->context, member->index, team->size);
    }
}

/* ---- The caller ------------------------------------------------------------------------------------------------ */

static bool is_ready(tsws_team *team) {
    unsigned meeting = atomic_load_explicit(&team->members[0].meetings, memory_order_relaxed) + 1;

    for (size_t i = 1; i < team->size; i++) {
        if (!has_come(&team->members[i], meeting) || !atomic_load(&team->members[i].is_awake)) {
            return false;
        }
    }
    return true;
}

/* Has sleepers get up, if that was not tried just now. */
static void call_members(tsws_team *team, double now) {
    if (now - team->last_call > PATIENCE) {
        team->last_call = now;
        (void)atomic_fetch_add(&team->calls, 1);
        wake_sleepers(team);
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

/* Whether work is to be shared that begins now. */
static bool is_to_be_shared(tsws_team *team, bool is_long, double now) {
    if (team->size == 1 || now < team->rest_end) {
        return false;
    }
    atomic_store_explicit(&team->caller_processor, this_processor(), memory_order_relaxed);
    if (is_long || is_ready(team)) {
        return true;
    }
    call_members(team, now);
    return false;
}

void tsws_team_run(tsws_team *team, bool is_long, tsws_team_work *work, void *context) {
    double start = team->size > 1 ? seconds() : 0.0;

    if (!is_to_be_shared(team, is_long, start)) {
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
        atomic_init(&created->members[i].is_awake, false);
        created->members[i].team = created;
        created->members[i].index = i;
    }
    atomic_init(&created->sleepers, 0);
    atomic_init(&created->calls, 0);
    atomic_init(&created->caller_processor, this_processor());
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
