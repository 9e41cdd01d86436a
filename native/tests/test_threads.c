#include "check.h"
#include "threads.h"

#include <signal.h>
#include <time.h>

enum { MOST = 5, MEETINGS = 300 };

struct relay {
    tsws_team *team;
    size_t size;
    unsigned long numbers[2][MOST]; /* of this round and the next in turn */
    unsigned runs;
};

/* Everyone's next number is the sum of all numbers and his own place: who comes late or early spoils it. */
static void sum_up(void *context, size_t member, size_t n_members) {
    struct relay *relay = context;

    CHECK(n_members == relay->size || (n_members == 1 && member == 0));
    for (size_t round = 0; round < MEETINGS; round++) {
        for (size_t place = member; place < relay->size; place += n_members) {
            unsigned long sum = place;

            for (size_t i = 0; i < relay->size; i++) {
                sum += relay->numbers[round % 2][i];
            }
            relay->numbers[(round + 1) % 2][place] = sum % 1000003;
        }
        if (n_members > 1) {
            tsws_team_meet(relay->team, member);
        }
    }
    if (member == 0) {
        relay->runs++;
    }
}

static void members_keep_in_step(void) {
    for (size_t size = 1; size <= MOST; size++) {
        struct relay relay = {.size = size};
        unsigned long expected[MOST] = {0};

        if (!CHECK(tsws_team_create(size, &relay.team, NULL) == TSWS_OK)) {
            continue;
        }
        CHECK(tsws_team_size(relay.team) == size);
        for (int run = 0; run < 3; run++) {
            tsws_team_run(relay.team, run != 1, sum_up, &relay);
        }
        for (size_t round = 0; round < 3 * MEETINGS; round++) {
            unsigned long sum = 0;

            for (size_t i = 0; i < size; i++) {
                sum += expected[i];
            }
            for (size_t i = 0; i < size; i++) {
                expected[i] = (sum + i) % 1000003;
            }
        }
        for (size_t i = 0; i < size; i++) {
            CHECK(relay.numbers[0][i] == expected[i]); /* MEETINGS is even: the last are where the first were */
        }
        CHECK(relay.runs == 3);
        tsws_team_destroy(relay.team);
    }
}

/* The caller comes so late that the others are long asleep. */
static void sleepers_are_woken(void) {
    struct relay relay = {.size = 3};

    CHECK(tsws_team_create(3, &relay.team, NULL) == TSWS_OK);
    for (int run = 0; run < 3; run++) {
        CHECK(nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL) == 0);
        tsws_team_run(relay.team, run != 1, sum_up, &relay);
    }
    CHECK(relay.runs == 3);
    tsws_team_destroy(relay.team);
}

static void a_team_may_end_without_work(void) {
    tsws_team *team = NULL;

    for (size_t size = 1; size <= MOST; size++) {
        CHECK(tsws_team_create(size, &team, NULL) == TSWS_OK);
        tsws_team_destroy(team);
    }
    tsws_team_destroy(NULL);
}

static void look_at_signals(void *context, size_t member, size_t n_members) {
    int *blocked = context;
    sigset_t set;

    CHECK(n_members == 2);
    CHECK(pthread_sigmask(SIG_SETMASK, NULL, &set) == 0);
    blocked[member] = sigismember(&set, SIGINT);
}

static void signals_are_the_callers(void) {
    tsws_team *team = NULL;
    int blocked[2] = {-1, -1};

    CHECK(tsws_team_create(2, &team, NULL) == TSWS_OK);
    tsws_team_run(team, true, look_at_signals, blocked);
    CHECK(blocked[0] == 0 && blocked[1] == 1);
    tsws_team_destroy(team);
}

static void shares_are_the_whole(void) {
    for (size_t count = 0; count < 20; count++) {
        for (size_t n = 1; n <= MOST; n++) {
            size_t next = 0;

            for (size_t member = 0; member < n; member++) {
                tsws_share share = tsws_share_of(count, member, n);

                CHECK(share.first == next && share.last >= share.first);
                CHECK(share.last - share.first >= count / n && share.last - share.first <= count / n + 1);
                next = share.last;
            }
            CHECK(next == count);
        }
    }
}

int main(void) {
    members_keep_in_step();
    sleepers_are_woken();
    a_team_may_end_without_work();
    signals_are_the_callers();
    shares_are_the_whole();
    return check_result();
}
