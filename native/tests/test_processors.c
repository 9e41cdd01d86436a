#include "check.h"
#include "processors.h"

#include <sched.h>
#include <unistd.h>

int main(void) {
    CHECK(tsws_processors() >= 1);
    CHECK((long)tsws_processors() <= sysconf(_SC_NPROCESSORS_CONF));
#if defined(__linux__)
    cpu_set_t set;
    size_t first = 0;

    CHECK(sched_getaffinity(0, sizeof set, &set) == 0);
    while (!CPU_ISSET(first, &set)) {
        first++;
    }
    CPU_ZERO(&set);
    CPU_SET(first, &set);
    CHECK(sched_setaffinity(0, sizeof set, &set) == 0);
    CHECK(tsws_processors() == 1); /* those that this process may use */
#endif
    return check_result();
}
