/* The log: one line an event, key=value, on standard error. Never a body, a key, an address or a name. */
#ifndef HS_ADMIN_LOG_H
#define HS_ADMIN_LOG_H

enum hs_log_level { HS_LOG_ERROR, HS_LOG_WARN, HS_LOG_INFO, HS_LOG_DEBUG };

/* Lines up to this level are written. Colours where standard error is a terminal; no time where the journal
 * adds its own. To be called before any other thread logs. */
void hs_log_init(enum hs_log_level level);

/* The level of that name ("error", "warn", "info", "debug"); -1 where there is none. */
int hs_log_level_of(const char *name);

/* One write, so that lines of two threads don't mix; longer ones are cut. */
__attribute__((format(printf, 2, 3))) void hs_log(enum hs_log_level level, const char *format, ...);

#endif
