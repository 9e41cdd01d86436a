/* --info: what the model is, how it is played and what memory that takes. */
#include "program.h"
#include "report.h"

#include <sys/resource.h>

/* The most memory that the program has had so far, in bytes. */
static uint64_t peak_resident_bytes(void) {
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) != 0) {
        return 0;
    }
#if defined(__APPLE__)
    return (uint64_t)usage.ru_maxrss;
#else
    return (uint64_t)usage.ru_maxrss * 1024;
#endif
}

/* Keys and values of one story that fills the context. */
static uint64_t cache_bytes(const tsws_model_info *info) {
    uint64_t kv_dim = (uint64_t)(info->dim / info->n_heads) * (uint64_t)info->n_kv_heads;

    return (uint64_t)info->n_layers * 2 * kv_dim * (uint64_t)info->max_seq_len * sizeof(float);
}

tsws_status run_info(run_program *program, tsws_error *error) {
    const tsws_model_info *info = &program->info;
    tsws_session *session = NULL;
    tsws_session_options playing = run_session_options(program, 0);
    tsws_status status = tsws_session_create(program->model, &playing, &session, error);
    run_report report;

    if (status != TSWS_OK) {
        return status;
    }
    report = run_report_begin(program->options.json);
    run_report_text(&report, "model", program->options.model);
    run_report_unsigned(&report, "file_version", (uint64_t)info->version);
    run_report_unsigned(&report, "dim", (uint64_t)info->dim);
    run_report_unsigned(&report, "hidden_dim", (uint64_t)info->hidden_dim);
    run_report_unsigned(&report, "n_layers", (uint64_t)info->n_layers);
    run_report_unsigned(&report, "n_heads", (uint64_t)info->n_heads);
    run_report_unsigned(&report, "n_kv_heads", (uint64_t)info->n_kv_heads);
    run_report_unsigned(&report, "vocab_size", (uint64_t)info->vocab_size);
    run_report_unsigned(&report, "max_seq_len", (uint64_t)info->max_seq_len);
    run_report_bool(&report, "shared_classifier", info->shared_classifier);
    run_report_unsigned(&report, "parameters", info->parameters);
    run_report_text(&report, "stored_as", info->group_size > 0 ? "int8" : "float32");
    run_report_unsigned(&report, "group_size", (uint64_t)info->group_size);
    run_report_text(&report, "precision", info->precision == TSWS_INT8 ? "int8" : "float32");
    run_report_text(&report, "kernels", info->kernels);
    run_report_unsigned(&report, "threads", (uint64_t)tsws_session_threads(session));
    run_report_unsigned(&report, "weight_bytes", info->weight_bytes);
    run_report_unsigned(&report, "cache_bytes", cache_bytes(info));
    run_report_unsigned(&report, "peak_resident_bytes", peak_resident_bytes());
    run_report_end(&report);
    tsws_session_destroy(session);
    return TSWS_OK;
}
