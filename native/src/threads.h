/* A team: threads that work on one thing in step, the caller among them. */
#ifndef TSWS_THREADS_H
#define TSWS_THREADS_H

#include "status.h"

enum { TSWS_MAX_THREADS = 64 };

typedef struct tsws_team tsws_team;

/* What each member does; `member` counts from 0, the caller. n_members is the team's size, or 1. */
typedef void tsws_team_work(void *context, size_t member, size_t n_members);

/*
 * Starts n_threads - 1 threads, which wait for work, at first awake and soon asleep. They take no signals.
 * n_threads is within 1 and TSWS_MAX_THREADS. Errors: MEMORY.
 */
tsws_status tsws_team_create(size_t n_threads, tsws_team **team, tsws_error *error);

/* Ends the threads. NULL is allowed. */
void tsws_team_destroy(tsws_team *team);

size_t tsws_team_size(const tsws_team *team);

/*
 * Has every member do the work, and returns when all have. One caller at a time.
 *
 * The caller may also be given it all to do alone: where the others are asleep and the work is too short to wait for them,
 * and where they had lost their processors to other programs so that the caller mostly waited.
 *   is_long  it takes many times as long as to wake a sleeper: half a millisecond at least
 */
void tsws_team_run(tsws_team *team, bool is_long, tsws_team_work *work, void *context);

/* Within work of several members: no member returns before all have called it. What one wrote before, the others see after. */
void tsws_team_meet(tsws_team *team, size_t member);

/* What of `count` things is one member's: as equal as can be, in order. */
typedef struct tsws_share {
    size_t first;
    size_t last; /* the first that is not */
} tsws_share;

static inline tsws_share tsws_share_of(size_t count, size_t member, size_t n_members) {
    return (tsws_share){count * member / n_members, count * (member + 1) / n_members};
}

#endif
