#include "report.h"

#include <inttypes.h>
#include <string.h>

enum { NAME_WIDTH = 22 };

run_report run_report_begin(bool as_json) {
    run_report report = {.json = {stdout, false}, .as_json = as_json};

    if (as_json) {
        run_json_open(&report.json, '{');
    }
    return report;
}

void run_report_end(run_report *report) {
    if (report->as_json) {
        run_json_close(&report->json, '}');
        (void)fputs("\n", stdout);
    }
}

static void name_for_people(const char *name) {
    int width = 0;

    for (; *name != '\0'; name++, width++) {
        (void)fputc(*name == '_' ? ' ' : *name, stdout);
    }
    (void)printf("%*s", width < NAME_WIDTH ? NAME_WIDTH - width : 1, "");
}

static void begin_value(run_report *report, const char *name) {
    if (report->as_json) {
        run_json_key(&report->json, name);
    } else {
        name_for_people(name);
    }
}

void run_report_text(run_report *report, const char *name, const char *value) {
    begin_value(report, name);
    if (report->as_json) {
        run_json_text(&report->json, value, strlen(value));
    } else {
        (void)printf("%s\n", value);
    }
}

void run_report_unsigned(run_report *report, const char *name, uint64_t value) {
    begin_value(report, name);
    if (report->as_json) {
        run_json_unsigned(&report->json, value);
    } else {
        (void)printf("%" PRIu64 "\n", value);
    }
}

void run_report_bool(run_report *report, const char *name, bool value) {
    begin_value(report, name);
    if (report->as_json) {
        run_json_bool(&report->json, value);
    } else {
        (void)printf("%s\n", value ? "yes" : "no");
    }
}

void run_report_number(run_report *report, const char *name, double value) {
    begin_value(report, name);
    if (report->as_json) {
        run_json_number(&report->json, value);
    } else {
        (void)printf("%.6g\n", value);
    }
}
