/* The log: one line an event, key=value or JSON, on standard error. Never a body, a key, an address or a
 * name. */
#ifndef HS_ADMIN_LOG_H
#define HS_ADMIN_LOG_H

#include <stddef.h>

enum hs_log_level { HS_LOG_ERROR, HS_LOG_WARN, HS_LOG_INFO, HS_LOG_DEBUG };
enum hs_log_format { HS_LOG_TEXT, HS_LOG_JSON };

/* Lines up to this level are written. Text: colours where standard error is a terminal; where it is the
 * journal's stream (JOURNAL_STREAM), the priority as journald reads it instead of time and level. JSON: one
 * object, with time, level and the pairs of the event. May be called again, from any thread. */
void hs_log_init(enum hs_log_level level, enum hs_log_format format);

/* The level of that name ("error", "warn", "info", "debug"); -1 where there is none. "text", "json" likewise.
 */
int hs_log_level_of(const char *name);
int hs_log_format_of(const char *name);

/* "event=NAME key=value key=\"a sentence\"". One write, so that lines of two threads don't mix; longer ones
 * are cut. */
__attribute__((format(printf, 2, 3))) void hs_log(enum hs_log_level level, const char *format, ...);

/* The pairs of such a text as the inside of a JSON object (without braces), cut to whole pairs where size is
 * small; words that belong to no key become "text". The length. */
size_t hs_log_pairs_to_json(const char *text, char *out, size_t size);

#endif
