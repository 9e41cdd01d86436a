/* A list of named values on standard output: a line each for people, or one JSON object on one line. */
#ifndef RUN_REPORT_H
#define RUN_REPORT_H

#include "json.h"

typedef struct run_report {
    run_json json;
    bool as_json;
} run_report;

run_report run_report_begin(bool as_json);
void run_report_end(run_report *report);

/* Names are the keys of the JSON object; people see their underscores as spaces. */
void run_report_text(run_report *report, const char *name, const char *value);
void run_report_unsigned(run_report *report, const char *name, uint64_t value);
void run_report_bool(run_report *report, const char *name, bool value);
void run_report_number(run_report *report, const char *name, double value);

#endif
