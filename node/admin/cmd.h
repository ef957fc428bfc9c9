/* The commands of hansed. Each file cmd_X.c has one; main.c has the table. */
#ifndef HS_ADMIN_CMD_H
#define HS_ADMIN_CMD_H

#include "admin/issue.h"

#include <stdio.h>

/* Exit codes. */
enum {
    HS_EXIT_OK = 0,
    HS_EXIT_FAILURE = 1, /* it was tried and didn't work; the message says why */
    HS_EXIT_USAGE = 2,   /* the command line isn't right; nothing was done */
    HS_EXIT_CONFIG = 3,  /* the configuration file has a mistake; the message names the line */
};

/* argv[0] is the command's own name. */
int hs_cmd_run(int argc, char **argv);
int hs_cmd_init(int argc, char **argv);
int hs_cmd_ticket(int argc, char **argv);
int hs_cmd_grant(int argc, char **argv);
int hs_cmd_backup(int argc, char **argv);
int hs_cmd_restore(int argc, char **argv);
int hs_cmd_check(int argc, char **argv);
int hs_cmd_renew(int argc, char **argv);

/* "hansed: ..." on standard error; gives the exit code back. */
__attribute__((format(printf, 2, 3))) int hs_cmd_fail(int code, const char *format, ...);

/* After an option that isn't known or lacks its value: getopt has said so. */
int hs_cmd_usage(const char *command);

/* The exit code for an error of hs_site_open() and its like, whose sentence is said. */
int hs_cmd_site_failed(enum hs_err err, const char *why);

/* The node of that configuration, and its root's key, from root_key or beside its data (NULL). The exit code;
 * what is amiss is said. */
int hs_cmd_open_root(const char *config, const char *root_key, struct hs_site *site, struct hs_signer *root);

/* libsodium's self-test and everything that keeps secrets out of dumps and of others' hands. False, said,
 * where this machine isn't fit. */
bool hs_cmd_prepare(void);

struct hs_time hs_cmd_now(void);

/* A number of an option, min to max; false, said, where it isn't one. */
bool hs_cmd_number(const char *option, const char *text, unsigned long min, unsigned long max,
                   unsigned long *out);

/* The role of that name into the standing; false, said, where it isn't one, or there are too many. */
bool hs_cmd_add_role(struct hs_standing *standing, const char *name);

/* A name for --handle, or NULL where none is given; false, said, where it can't be one. */
bool hs_cmd_check_handle(const char *name);

/* now and so many days; 0 days = no end. */
struct hs_time hs_cmd_days(struct hs_time now, unsigned long days);

#endif
